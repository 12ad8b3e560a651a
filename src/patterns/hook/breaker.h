// A circuit breaker: parks a module that keeps failing, so that callers do not wait for it.
//
//   closed -- five failures in a row --> parked (30 s) -- time --> one trial
//   a trial that succeeds closes it; one that fails parks it for twice as long, ten minutes at most
#pragma once

#include <chrono>

#include "base/clock.h"

namespace carrel::hook {

struct BreakerLimits {
  unsigned failures = 5;  // in a row
  Nanos first = std::chrono::seconds(30);
  Nanos longest = std::chrono::minutes(10);
};

// Pure; value type. Times never decrease.
class Breaker {
 public:
  explicit Breaker(const BreakerLimits& limits = {}) : limits_(limits) {}

  // Whether the module may run now. A yes while it is parked is the trial: until its outcome is
  // told, the next answers are no.
  bool try_enter(Instant now);

  void succeeded();
  // True: this one parked it.
  bool failed(Instant now);
  // It ran, but by no fault or merit of its own: as if it had not.
  void undecided();

  // Nothing is known of a module that works.
  bool idle() const { return failures_ == 0 && parks_ == 0; }
  // Until when; only while it is parked.
  Instant until() const { return until_; }

 private:
  BreakerLimits limits_;
  unsigned failures_ = 0;  // in a row
  unsigned parks_ = 0;     // in a row; 0: closed
  bool trying_ = false;
  Instant until_{};
};

}  // namespace carrel::hook
