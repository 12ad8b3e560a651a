#include "acme/schedule.h"

#include <algorithm>

namespace carrel::acme {

WallTime renewal_of(const Lifetime& lifetime, double chance) {
  const auto third = (lifetime.end - lifetime.begin) / 3;
  return lifetime.end - third +
         std::chrono::duration_cast<WallTime::duration>(third * (chance / 10));
}

std::chrono::seconds pause_after(unsigned failures, std::chrono::seconds asked, double chance) {
  constexpr std::chrono::seconds kFirst{300}, kLongest{24 * 3600};
  constexpr unsigned kMostDoublings = 10;
  const auto doubled = kFirst * (1U << std::min(failures == 0 ? 0 : failures - 1, kMostDoublings));
  const auto base = std::min<std::chrono::seconds>(doubled, kLongest);
  const auto spread = std::chrono::duration_cast<std::chrono::seconds>(base * (0.8 + 0.4 * chance));
  return std::max(spread, asked);
}

}  // namespace carrel::acme
