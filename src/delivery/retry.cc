#include "delivery/retry.h"

namespace carrel::delivery {

Retry usual_retry() {
  using namespace std::chrono_literals;
  return {.waits = {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h}};
}

Nanos wait_after(const Retry& retry, unsigned attempts, double chance) {
  const Nanos wait = retry.waits[attempts - 1];
  return wait + Nanos(static_cast<std::int64_t>(static_cast<double>(wait.count()) / 4 * chance));
}

}  // namespace carrel::delivery
