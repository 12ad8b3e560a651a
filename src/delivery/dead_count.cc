#include "delivery/dead_count.h"

namespace carrel::delivery {

void DeadCount::add(std::string_view lane, std::uint64_t expires) {
  const auto found = lanes_.find(lane);
  (found != lanes_.end() ? found->second : lanes_[std::string(lane)]).push_back(expires);
}

void DeadCount::remove(std::string_view lane) {
  const auto found = lanes_.find(lane);
  if (found == lanes_.end()) return;
  found->second.pop_front();
  if (found->second.empty()) lanes_.erase(found);
}

std::size_t DeadCount::of(std::string_view lane, std::uint64_t now) {
  for (;;) {
    const auto found = lanes_.find(lane);
    if (found == lanes_.end()) return 0;
    if (found->second.front() > now) return found->second.size();
    remove(lane);
  }
}

}  // namespace carrel::delivery
