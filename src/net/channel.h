// A channel is one connection's socket as coroutines see it: reads that never wait, output that is
// gathered into few system calls, and two waits (for input, for room) with deadlines.
//
// Owner: its connection. Thread: its shard. Stops: destroying a waiting coroutine takes its wait
// back.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/poller.h"
#include "net/transport.h"

namespace carrel::net {

// The server's coarse clock: set a few times a second, so that no request asks the kernel for the
// time.
struct Tick {
  Instant now;
  std::string date;  // "Date: ...\r\n"
};

class Channel final : public Poller::Watched {
 public:
  static constexpr Instant kNever = Instant::max();
  enum class Wake : unsigned char { ready, expired };

  // Told, outside of any coroutine of the connection, that the peer has closed its side or that the
  // connection is broken. May be told again.
  class Owner {
   public:
    virtual void peer_closed() = 0;

   protected:
    ~Owner() = default;
  };

  Channel(std::unique_ptr<Transport> transport, Owner& owner, const Tick& tick, Nanos write_pause)
      : transport_(std::move(transport)), owner_(owner), tick_(tick), write_pause_(write_pause) {}

  Transport& transport() { return *transport_; }
  const Tick& tick() const { return tick_; }

  IoResult read(std::span<char> into);
  std::uint64_t bytes_in() const { return bytes_in_; }
  bool is_peer_closed() const { return peer_closed_; }

  // What is appended here leaves with the next `send`, or by `flush`.
  std::string& output() { return output_; }
  // Sends the output and then `body`, as far as the kernel takes them now.
  // True: all; false: `body` is what is left.
  Result<bool> try_send(std::string_view& body);
  // Returns when the kernel has taken the output and `body`. Errors: connection_closed,
  // request_timeout.
  async::Task<Result<void>> send(std::string_view body);
  void flush();
  // True while the peer does not take what we send.
  bool output_blocked() const { return stalled_at_ != kNever && !broken_; }
  std::uint64_t bytes_out() const { return bytes_out_; }

  // One waiter. Returns when there may be input, or at `until`.
  auto input(Instant until) { return Wait(*this, reader_, until); }

  void on_ready(std::uint32_t events) override;
  void check_deadlines();
  // For an end that is not the peer's doing: the reader looks again.
  void wake_reader() { wake(reader_); }

 private:
  struct Slot {
    std::coroutine_handle<> waiter = nullptr;
    Instant until = kNever;
  };
  class Wait {
   public:
    Wait(Channel& channel, Slot& slot, Instant until)
        : now_(channel.tick_.now), slot_(slot), until_(until) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) noexcept {
      slot_ = {caller, until_};
      suspended_ = true;
    }
    Wake await_resume() noexcept {
      suspended_ = false;
      return now_ >= until_ ? Wake::expired : Wake::ready;
    }
    ~Wait() {
      if (suspended_) slot_ = {};
    }

   private:
    const Instant& now_;
    Slot& slot_;
    Instant until_;
    bool suspended_ = false;
  };

  static void wake(Slot& slot);
  void count_sent(std::size_t bytes, std::string_view& body);

  std::unique_ptr<Transport> transport_;
  Owner& owner_;
  const Tick& tick_;
  Nanos write_pause_;

  std::string output_;
  std::size_t output_sent_ = 0;
  std::uint64_t bytes_in_ = 0, bytes_out_ = 0;

  Slot reader_, writer_;
  Instant stalled_at_ = kNever;  // when blocked output is given up
  bool readable_ = true, peer_closed_ = false, broken_ = false;
};

}  // namespace carrel::net
