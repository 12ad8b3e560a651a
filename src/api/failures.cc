#include "api/failures.h"

#include <algorithm>
#include <span>

#include "base/hex.h"
#include "net/egress_policy.h"

namespace carrel::api {
namespace {

std::string key_of(std::string_view address) {
  constexpr std::size_t kNetworkDigits = 16;
  const auto ip = net::parse_ip(address);
  if (!ip || !ip->v6) return std::string(address);
  return to_hex(std::as_bytes(std::span(ip->bytes))).substr(0, kNetworkDigits);
}

}  // namespace

double FailureLimit::Failures::now(Instant when) const {
  const double passed = std::chrono::duration<double>(when - as_of).count();
  return std::max(0.0, count - (kEachSecond * passed));
}

bool FailureLimit::allows(std::string_view address, Instant now) const {
  const auto found = failures_.find(key_of(address));
  return found == failures_.end() || found->second.now(now) <= kBurst - 1;
}

void FailureLimit::count(std::string_view address, Instant now) {
  if (failures_.size() >= kMostAddresses) make_room(now);
  Failures& failures = failures_[key_of(address)];
  failures = {.count = std::min(failures.now(now) + 1, kBurst), .as_of = now};
}

// Those that have failed least go: forgetting them gives them the least.
void FailureLimit::make_room(Instant now) {
  std::erase_if(failures_, [now](const auto& each) { return each.second.now(now) == 0; });
  while (failures_.size() >= kMostAddresses) {
    failures_.erase(std::ranges::min_element(
        failures_, {}, [now](const auto& each) { return each.second.now(now); }));
  }
}

}  // namespace carrel::api
