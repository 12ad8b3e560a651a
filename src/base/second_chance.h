// In which order kept things go when there is no room: the oldest first, unless it has been used
// since it was last looked at. To use a thing moves nothing, and so touches nothing but the thing.
//
// Source: F. J. Corbato, "A Paging Experiment with the Multics System", 1968.
//
// Owner and thread: whoever keeps the things.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

namespace carrel {

template <typename Name>
class SecondChance {
 public:
  void add(Name name) { order_.push_back(std::move(name)); }
  std::size_t size() const { return order_.size(); }

  // Takes out the name that goes, and gives its place in `entries`: a map from each name that was
  // added to what has a flag `used`. Not empty.
  template <typename Entries>
  auto next(Entries& entries) {
    for (;;) {
      Name name = std::move(order_.front());
      order_.pop_front();
      const auto at = entries.find(name);
      if (!std::exchange(at->second.used, false)) return at;
      order_.push_back(std::move(name));
    }
  }

 private:
  std::deque<Name> order_;  // the one to be looked at first in front
};

}  // namespace carrel
