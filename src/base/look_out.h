// To look out for what is due very soon instead of going to sleep: where an idle processor halts,
// waking a thread takes 30 us and more, as long as what it waits for.
//
// It must pay: when nothing came some times in a row, the next ones are left out, twice as many
// each time, 256 at most. The processor is offered to others at each look.
//
// Thread: one.
#pragma once

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace carrel {

class LookOut {
 public:
  using Clock = std::chrono::steady_clock;

  explicit LookOut(Clock::duration longest)
      : longest_(alone() ? Clock::duration::zero() : longest) {}

  // Whether `found()` was true within the time. False at once if it does not pay.
  template <typename Found>
  bool operator()(Found&& found) {
    if (leave_out_ > 0) {
      --leave_out_;
      return false;
    }
    for (const auto end = Clock::now() + longest_; Clock::now() < end; ::sched_yield()) {
      if (found()) {
        in_vain_ = 0;
        return true;
      }
    }
    constexpr unsigned kForgiven = 4, kMost = 8;
    in_vain_ = std::min(in_vain_ + 1, kForgiven + kMost);
    if (in_vain_ > kForgiven) leave_out_ = 1U << (in_vain_ - kForgiven);
    return false;
  }

 private:
  // On one processor, who looks keeps back what it looks for.
  static bool alone() { return std::thread::hardware_concurrency() < 2; }

  Clock::duration longest_;
  unsigned in_vain_ = 0, leave_out_ = 0;
};

}  // namespace carrel
