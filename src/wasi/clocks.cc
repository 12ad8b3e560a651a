#include "base/result.h"
#include "wasi/calls.h"
#include "wasi/guest_time.h"

namespace carrel::wasi {

Io<GuestClock> clock_of(std::uint32_t id) {
  if (id <= 1) return GuestClock(id);
  constexpr std::uint32_t kThreadCpuTime = 3;
  return fail(id <= kThreadCpuTime ? Errno::notsup : Errno::inval);
}

Nanos exact_time(const Wasi::State& state, GuestClock clock) {
  if (clock == GuestClock::realtime) return state.clock.wall().time_since_epoch();
  return state.clock.now() - state.origin + kMonotonicStart;
}

Io<void> clock_res_get(Context& c, u32 id, GuestPtr resolution) {
  CARREL_TRY(auto out, c.output<u64>(resolution));
  CARREL_TRY_VOID(clock_of(id));
  out.set(static_cast<u64>(Nanos(kClockStep).count()));
  return {};
}

Io<void> clock_time_get(Context& c, u32 id, u64, GuestPtr time) {
  CARREL_TRY(auto out, c.output<u64>(time));
  CARREL_TRY(const GuestClock clock, clock_of(id));
  out.set(static_cast<u64>(shown_time(exact_time(c.state(), clock)).count()));
  return {};
}

}  // namespace carrel::wasi
