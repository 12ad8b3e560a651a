// The sweeper: removes records whose time has come, so that they take no room.
//
// Nobody sees such a record any more, so nothing depends on when it goes. It is removed as a turn
// would that has read it: a record renewed since the snapshot wins, and stays. A step is bounded;
// the next one goes on where it ended.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/committer.h"
#include "store/snapshot.h"
#include "store/time_walk.h"

namespace carrel::store {

// Owner and thread: the Store's sweeping thread. Stops: when its thread does.
class Sweeper {
 public:
  static constexpr std::size_t kMostRecords = 256;  // of a step

  // One step: removes what has expired by `now`; returns how many records. Waits for the committer,
  // not for the disk. Errors: data_corrupt, io.
  Result<std::size_t> step(Committer& committer, const Snapshot& snapshot, WallTime now);

 private:
  Result<std::vector<Changes>> find(const Snapshot& snapshot, std::uint64_t now);
  TimeWalk expiries_{Kind::expiry};
};

}  // namespace carrel::store
