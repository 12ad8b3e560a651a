// The bytes of one connection, plain or TLS, never waiting. Private to the room.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/fd.h"

namespace carrel::net {

enum class IoState : unsigned char { done, would_block, closed };

struct IoResult {
  IoState state;
  std::size_t bytes = 0;
};

// Owner: the connection. Thread: its shard.
class Transport {
 public:
  explicit Transport(Fd fd) : fd_(std::move(fd)) {}
  virtual ~Transport() = default;
  int fd() const { return fd_.get(); }

  virtual IoResult handshake() { return {IoState::done}; }
  // A plain socket that gave less than was asked for has no more.
  virtual IoResult read(std::span<char> into);
  virtual IoResult write(std::span<const iovec> parts);
  virtual bool short_read_means_empty() const { return true; }
  // What `would_block` waits for, if not for the direction of the operation.
  virtual bool wants_read() const { return false; }
  virtual bool wants_write() const { return false; }
  // After `closed`: the peer did not end its side, it broke off.
  virtual bool broken() const { return broken_; }
  virtual std::string reason() const { return {}; }  // why a handshake failed
  // Says that nothing more will be sent.
  virtual void finish();
  // The peer sees a broken connection, not an end.
  void reset();
  Fd take() { return std::move(fd_); }  // for another transport of the same connection

 private:
  IoResult failure();

  Fd fd_;
  bool broken_ = false;
};

class TlsContext;
std::unique_ptr<Transport> make_tls(Fd fd, const TlsContext& context);  // null: out of memory
// For a connection to `host`, a name or an address that the peer's certificate must be for.
std::unique_ptr<Transport> make_client_tls(Fd fd, const TlsContext& context,
                                           const std::string& host);

}  // namespace carrel::net
