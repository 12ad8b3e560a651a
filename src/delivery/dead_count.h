// How many dead letters each lane has, until their time is over. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace carrel::delivery {

// Of one shard. `expires`, `now`: milliseconds since 1970.
class DeadCount {
 public:
  void add(std::string_view lane, std::uint64_t expires);
  void remove(std::string_view lane);  // one of them, whichever
  std::size_t of(std::string_view lane, std::uint64_t now);

 private:
  std::map<std::string, std::deque<std::uint64_t>, std::less<>> lanes_;  // when each expires
};

}  // namespace carrel::delivery
