// The bytes of one connection, plain or TLS, never waiting. Private to the room.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>

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
  // Says that nothing more will be sent.
  virtual void finish();
  // The peer sees a broken connection, not an end.
  void reset();

 private:
  Fd fd_;
};

class TlsContext;
std::unique_ptr<Transport> make_tls(Fd fd, const TlsContext& context);  // null: out of memory

}  // namespace carrel::net
