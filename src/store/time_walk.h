// Walks a list that the store keeps by time (Kind::expiry, Kind::garbage), of one tenant after the
// other, a bounded piece at a step; the next step goes on where it ended.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "store/key.h"
#include "store/snapshot.h"

namespace carrel::store {

inline constexpr std::size_t kTimeBytes = 8;  // that an entry's name begins with; milliseconds

// Owner and thread: who sweeps.
class TimeWalk {
 public:
  explicit TimeWalk(Kind list) : list_(list) {}

  // False: enough; the next step begins with this tenant again.
  using Visit = std::function<bool(const Key& entry, std::uint64_t time)>;
  // Visits entries of at most `until`, of a bounded number of tenants. One that is damaged is left
  // to `check`; it is in nobody's way. Errors: data_corrupt, io.
  Result<void> step(const Snapshot& snapshot, std::uint64_t until, const Visit& visit);

 private:
  Kind list_;
  std::string from_;  // a key; what comes before it was looked at
};

}  // namespace carrel::store
