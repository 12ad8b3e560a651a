// The part sweeper: removes the files of parts that no blob needs.
//
//   garbage      the ledger has counted their uses down to none, a minute ago or longer
//   unrecorded   files an hour old of which the ledger knows nothing: their turn never committed
//   unfinished   files an hour old that were never given their name: the process ended
//
// A blob that is committed finds each of its parts. A part comes into use only by a turn that has
// pinned it since before it looked for the file, until it has handed in its commit; or by one that
// has read a blob that uses it, which conflicts if that blob is gone. So a step
//
//   1. condemns the parts it has found; one that is pinned is left, and a later pin saves it
//   2. has the committer forget them. That is decided after all commits of earlier pins, also of
//      turns that did not wait for theirs
//
// and the next one, once that is on the disk,
//
//   3. removes what is condemned still and not in the ledger. What it now does not know no later
//      commit can name; what it knows has come into use, or its forgetting was lost in a failure.
//
// No age is needed for that. The minute is for turns that read an older snapshot; the hour keeps a
// part at hand for a turn that tries again.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/committer.h"
#include "store/part_walk.h"
#include "store/parts.h"
#include "store/snapshot.h"
#include "store/time_walk.h"

namespace carrel::store {

struct SweptParts {
  std::uint64_t unused = 0;      // that the ledger counted, or did not know
  std::uint64_t unfinished = 0;  // files
};

// Owner and thread: the Store's sweeping thread. Stops: when its thread does; what is condemned
// then is found again.
class PartSweeper {
 public:
  static constexpr std::size_t kMostParts = 256;  // of a step
  static constexpr std::size_t kMostFiles = 256;  // looked at in a step

  explicit PartSweeper(Parts& parts) : parts_(parts) {}

  // One step: returns what it has removed. `state`: the newest; `durable`: what is on the disk.
  // Waits for the committer, not for a sync. Errors: data_corrupt, io.
  Result<SweptParts> step(Committer& committer, const Snapshot& state, Version durable,
                          WallTime now);

 private:
  using Part = std::pair<TenantName, PartHash>;
  std::uint64_t remove_condemned(const Snapshot& state);
  Result<void> find_garbage(const Snapshot& state, WallTime now);
  Result<std::uint64_t> find_unrecorded(const Snapshot& state, WallTime now);
  void condemn(Part part);
  void forget(Committer& committer, const Snapshot& state);
  void spare_all();

  Parts& parts_;
  std::vector<Part> condemned_;
  std::vector<std::string> garbage_;  // keys that this step has found
  Version forgotten_{};               // condemned parts are, as of it
  TimeWalk unused_{Kind::garbage};
  std::optional<PartWalk> files_;  // nothing: between two walks
  WallTime next_walk_;
};

}  // namespace carrel::store
