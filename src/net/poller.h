// Readiness of many sockets at the price of one: an edge-triggered epoll set of our own inside the
// shard's.
//
// A socket is registered once, for its life; waiting for it again costs no system call. Owner: the
// server. Thread: its shard. Stops: with its destruction.
#pragma once

#include <cstdint>
#include <memory>

#include "async/shard.h"
#include "base/result.h"

namespace carrel::net {

class Poller {
 public:
  // Told about its socket. Precondition: never deleted from within `on_ready` of anybody.
  class Watched {
   public:
    virtual void on_ready(std::uint32_t events) = 0;

   protected:
    ~Watched() = default;
  };

  // Errors: unavailable.
  static Result<std::unique_ptr<Poller>> make(async::Shard& shard);
  ~Poller();

  // `events` as epoll's. False: the kernel has no room.
  bool add(int fd, std::uint32_t events, Watched& watched);
  void change(int fd, std::uint32_t events, Watched& watched);

 private:
  struct Impl;
  explicit Poller(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::net
