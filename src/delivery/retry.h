// When a failed delivery is tried again, and how often at most. Pure.
#pragma once

#include <chrono>
#include <vector>

#include "base/clock.h"

namespace carrel::delivery {

// One wait after each attempt but the last.
struct Retry {
  std::vector<Nanos> waits;
  unsigned most() const { return static_cast<unsigned>(waits.size()) + 1; }
};

// Ten attempts over three days, as the Standard Webhooks specification has them.
Retry usual_retry();

// The wait after the `attempts`th attempt, with up to a quarter more by `chance` (0 to 1), so that
// what failed together does not come back together. Precondition: 1 <= attempts < most().
Nanos wait_after(const Retry& retry, unsigned attempts, double chance);

}  // namespace carrel::delivery
