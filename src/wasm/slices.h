// Slices: the pieces of CPU time in which a guest runs, counted for its limit and its tenant.
#pragma once

#include <algorithm>
#include <utility>

#include "async/shard.h"
#include "base/guest_use.h"
#include "wasm/instance.h"
#include "wasm/ticker.h"

namespace carrel::wasm {

// Owner: an instance. Thread: its shard.
class Slices {
 public:
  Slices(async::Shard& shard, async::RunAccount& account, Ticker& ticker, const CallLimits& limits)
      : shard_(shard),
        account_(account),
        ticker_(ticker),
        limit_(limits.cpu),
        use_(limits.use),
        told_(limits.use != nullptr ? std::chrono::steady_clock::now() : Instant()) {}

  void begin() {
    ticker_.enter(shard_.index());
    begun_ = start_ = std::chrono::steady_clock::now();
    if (!first_) cpu_start_ = thread_cpu_time();
  }
  // True: the guest has used up its time. `memory`: bytes that it holds.
  bool end(std::uint64_t memory) {
    ticker_.leave(shard_.index());
    const Nanos used = std::max(in_this_one(), Nanos());
    tell(used, memory);
    used_ += used;
    shard_.run_queue().charge(account_, used + (start_ - begun_));
    const bool over = over_limit({});
    first_ = false;
    return over;
  }

  // Within a slice: `work` of somebody else, which counts for the tenant's share of the shard and
  // not for the guest's limit. When it ended.
  template <typename Work>
  Instant aside(Work work) {
    const Instant begin = std::chrono::steady_clock::now();
    work();
    const Instant end = std::chrono::steady_clock::now();
    // To ask for CPU time is a system call: short work is taken for what the clock says, although
    // its thread may have waited, and after long work the guest's own part, which is a tick at
    // most.
    const Nanos took = end - begin;
    if (!first_) {
      cpu_start_ = took < kShort
                       ? cpu_start_ + took
                       : thread_cpu_time() - std::min<Nanos>(begin - start_, Ticker::kEvery);
    }
    start_ += took;
    return end;
  }

  // Within a slice: whether it has lasted a tick, whoever used it.
  bool lasted(Instant now) const { return now - begun_ >= Ticker::kEvery; }
  // Within a slice: the guest has used up its time.
  bool over() const { return over_limit(in_this_one()); }
  // Between slices: a guest that is given up while it waits has held its memory until now.
  void tell_rest(std::uint64_t memory) { tell({}, memory); }

  // In slices that have ended.
  Nanos used() const { return used_; }

 private:
  static constexpr auto kShort = std::chrono::microseconds(100);

  void tell(Nanos cpu, std::uint64_t memory) {
    if (use_ == nullptr) return;
    const Instant now = std::chrono::steady_clock::now();
    use_->ran(cpu, memory, now - std::exchange(told_, now));
  }

  // The first slice is a tick at most, so the clock is good enough and saves two system calls a
  // turn. But a thread that was not scheduled looks busy to it: no guest is ended for what only the
  // clock has seen.
  Nanos in_this_one() const {
    return first_ ? std::chrono::steady_clock::now() - start_ : thread_cpu_time() - cpu_start_;
  }
  bool over_limit(Nanos in_this_slice) const { return !first_ && used_ + in_this_slice >= limit_; }

  async::Shard& shard_;
  async::RunAccount& account_;
  Ticker& ticker_;
  Nanos limit_;
  GuestUse* use_;
  Instant told_;  // when `use_` was told the last time, if it is there
  Nanos used_{};
  Instant begun_{}, start_{};  // the second is later by what was done aside
  Nanos cpu_start_{};          // of all but the first: thread CPU time
  bool first_ = true;
};

}  // namespace carrel::wasm
