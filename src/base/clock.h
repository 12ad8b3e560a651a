// Time, behind an interface so that tests can set it.
#pragma once

#include <chrono>

namespace carrel {

using Nanos = std::chrono::nanoseconds;
using Instant = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
};

// The machine's clock.
const Clock& system_clock();

// CPU time this thread has used; costs a system call.
Nanos thread_cpu_time();

}  // namespace carrel
