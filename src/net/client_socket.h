// One connection to the outside as coroutines see it: opened, written, read, each with a deadline.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "async/shard.h"
#include "base/clock.h"
#include "net/egress_policy.h"

namespace carrel::net {

class TlsContext;

struct Peer {
  IpAddress address;
  std::uint16_t port = 0;
  std::string host;                 // that its certificate must be for
  std::shared_ptr<TlsContext> tls;  // null: plain
  std::string socket = {};          // a Unix socket, in place of all of these
};

// Owner: a call, or the pool. Thread: its shard. Stops: destroying it closes the connection;
// destroying a waiting coroutine first. Errors of all methods: egress_refused, egress_timeout,
// egress_tls, egress_closed, egress_failed.
inline constexpr int kMaxInterim = 8;  // 1xx heads before a response's

class ClientSocket {
 public:
  static async::Task<Result<std::unique_ptr<ClientSocket>>> open(async::Shard& shard, Peer peer,
                                                                 Instant until);
  ~ClientSocket();
  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  // False: the peer answered or closed before it had taken all (`has_decided`). The bytes outlive
  // the task.
  async::Task<Result<bool>> send(const std::string* bytes, Instant until, std::size_t most_heard);

  // Appends what has arrived to `input()`; at least one byte, or none: the peer has ended its side.
  async::Task<Result<std::size_t>> receive(Instant until);
  std::string& input();

  // Whether, by now, a final response or the end of the peer's side has come, or more than
  // `most_heard` bytes that are neither. What comes before a response (1xx) is taken out of
  // `input()` and decides nothing.
  bool has_decided(std::size_t most_heard);
  // Returns when something has arrived, the peer has ended its side, or it is `until`.
  async::Task<void> until_heard(Instant until);

  // Nothing has arrived and nothing is broken: fit for another request.
  bool is_quiet();

 private:
  struct Impl;
  explicit ClientSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::net
