// Time as guests see it: in steps of 1 ms, so that it measures nothing finer of their neighbours.
#pragma once

#include <cstdint>

#include "wasi/state.h"

namespace carrel::wasi {

inline constexpr std::chrono::milliseconds kClockStep{1};
// What the monotonic clock shows at a turn's start: programs may subtract hours from it, and some
// take 0 as wrong.
inline constexpr std::chrono::hours kMonotonicStart{24};

enum class GuestClock : std::uint8_t { realtime, monotonic };

// A clock's id as WASI has it. Errors: ENOTSUP for CPU time, EINVAL for what is no clock.
Io<GuestClock> clock_of(std::uint32_t id);

// Exact, then as the guest is shown it.
Nanos exact_time(const Wasi::State& state, GuestClock clock);
inline Nanos shown_time(Nanos exact) { return exact - exact % kClockStep; }

}  // namespace carrel::wasi
