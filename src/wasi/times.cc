#include "wasi/times.h"

#include "base/result.h"

namespace carrel::wasi {
namespace {

constexpr std::uint32_t kGiven = 1;
constexpr std::uint32_t kNow = 2;

Io<std::optional<std::uint64_t>> time_of(const Clock& clock, std::uint64_t given,
                                         std::uint32_t flags) {
  if (flags == (kGiven | kNow)) return fail(Errno::inval);
  if (flags == kGiven) return given;
  if (flags == kNow)
    return static_cast<std::uint64_t>(Nanos(clock.wall().time_since_epoch()).count());
  return std::nullopt;
}

}  // namespace

Io<SetTimes> times_of(const Clock& clock, std::uint64_t accessed, std::uint64_t modified,
                      std::uint32_t flags) {
  constexpr std::uint32_t kModifiedShift = 2;
  constexpr std::uint32_t kBoth = kGiven | kNow;
  if ((flags >> (2 * kModifiedShift)) != 0) return fail(Errno::inval);
  SetTimes times;
  CARREL_TRY(times.accessed, time_of(clock, accessed, flags & kBoth));
  CARREL_TRY(times.modified, time_of(clock, modified, flags >> kModifiedShift));
  return times;
}

}  // namespace carrel::wasi
