// The run queue: which guest gets the shard's next slice.
//
// Weighted fair queueing (Demers, Keshav and Shenker, 1989). Tenants share a shard by weight: each
// has a virtual time that grows with the CPU time its guests use, divided by its weight. The
// present is virtual too: it moves on by what is used, divided by the weights of all who want the
// shard. A tenant that was idle starts at the present, with nothing saved up. The next slice goes
// to who would be done first: a tenant whose slices have been short waits for the slice in progress
// and for those as short as its own, and nobody waits for ever, since the present moves on. Within
// a tenant, first come first served.
//
// Owner and thread: one shard. Stops: destroying a waiting coroutine takes it out.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>

#include "base/clock.h"
#include "observe/metrics.h"

namespace carrel::async {

// A tenant's account on one shard. Must outlive its waiting guests.
class RunAccount {
 public:
  explicit RunAccount(std::uint32_t weight = 1);
  RunAccount(const RunAccount&) = delete;
  RunAccount& operator=(const RunAccount&) = delete;

 private:
  friend class RunQueue;
  std::uint32_t weight_;
  std::int64_t virtual_time_ = 0;
  std::int64_t expected_;    // nanoseconds of its next slice, by those it had
  bool known_ = false;       // it had some
  std::int64_t finish_ = 0;  // its virtual time if the next slice is as expected: its place
  std::uint64_t arrival_ = 0;
  struct Waiter {
    std::coroutine_handle<> self;
    Instant since;
  };
  std::deque<Waiter> waiting_;
};

class RunQueue {
 public:
  // May be read by any thread.
  struct Figures {
    observe::Gauge waiting;      // guests
    observe::Durations waited;   // each time one did
    observe::Counter cpu_nanos;  // used by guests
  };
  const Figures& figures() const { return figures_; }

  // co_await queue.turn(account): resumed when the account's slice has come.
  auto turn(RunAccount& account) {
    struct Awaiter {
      RunQueue* queue;
      RunAccount* account;
      std::coroutine_handle<> self = nullptr;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> caller) {
        self = caller;
        queue->push(*account, caller);
      }
      void await_resume() noexcept { self = nullptr; }
      ~Awaiter() {
        if (self) queue->remove(*account, self);
      }
    };
    return Awaiter{this, &account};
  }

  // Says that the account's guest runs without having queued: nobody else wants the shard.
  void run_at_once(RunAccount& account);

  // Charges CPU time that the account's guest has just used.
  void charge(RunAccount& account, Nanos used);

  bool empty() const { return size() == 0; }
  std::size_t size() const { return figures_.waiting.value(); }

  // Resumes the next guest for one slice. Precondition: not empty.
  void run_next();

 private:
  struct Less {
    bool operator()(const RunAccount* a, const RunAccount* b) const;
  };
  void insert(RunAccount& account);
  void erase(RunAccount& account);
  void push(RunAccount& account, std::coroutine_handle<> waiter);
  void remove(RunAccount& account, std::coroutine_handle<> waiter);

  std::set<RunAccount*, Less> runnable_;
  std::uint64_t weight_ = 0;  // of all in it
  std::int64_t now_ = 0;      // virtual
  std::int64_t carried_ = 0;  // of what was used: less than moves the present on
  std::uint64_t arrivals_ = 0;
  Figures figures_;
};

}  // namespace carrel::async
