// The committer: one thread through which everything is written.
//
// It takes the finished turns of all shards in order of arrival, refuses those that lost a conflict
// or break a quota or a floor, and applies the rest as one write. A second thread syncs behind it:
// while one sync runs, the next turns are applied, and are on the disk with the sync after. A lone
// turn waits for nobody; when one caller asks again and again, the committing thread syncs for it.
// Turns read what is applied at once; what they say to the outside waits until it is durable
// (turn/output_gate.h).
//
// After a failed write or sync nothing more is accepted or becomes durable until the store has been
// opened again (`begin_again`, by recovery.h): turns applied but not synced may or may not be on
// the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "observe/metrics.h"
#include "store/changes.h"
#include "store/database.h"
#include "store/snapshot.h"
#include "store/tickets.h"

namespace carrel::store {

class Feed;
class UsageTable;

// What became of one turn's changes.
struct Verdict {
  Version version{};  // accepted: applied as of it
  // Refused. `conflict`: with the names it lost by. Others: quota_exceeded, below_floor,
  // store_full, store_failed, commit_unknown, data_corrupt, shutting_down.
  std::optional<Error> refused;
  bool newest = false;              // what it wrote is what its names hold as of this version
  std::vector<std::uint64_t> lost;  // hashes of the names, for tickets; empty: not known by name
};

// Told by the committer's threads; must not wait.
class CommitObserver {
 public:
  // `state` is the newest applied one from now on. Before the verdicts of its turns.
  virtual void on_applied(std::shared_ptr<const Snapshot> state) = 0;
  virtual void on_durable(Version version) = 0;
  // Nothing more will become durable, but what was reported before is. `durable` is that state.
  virtual void on_failed(Error cause, std::shared_ptr<const Snapshot> durable) = 0;

 protected:
  ~CommitObserver() = default;
};

// One commit on its way. `decided` is called on the committer's thread; must not wait.
class CommitRequest {
 public:
  explicit CommitRequest(Changes changes) : changes(std::move(changes)) {}
  virtual ~CommitRequest() = default;
  virtual void decided(Verdict verdict) = 0;

  Changes changes;
};

struct CommitterOptions {
  std::size_t batch_bytes = 4 << 20;         // of changes written at once
  Nanos interval = std::chrono::seconds(1);  // between syncs that nobody waits for
  std::function<WallTime()> wall;            // null: the machine's
  Feed* feed = nullptr;                      // told of what is applied
};

struct CommitCounts {
  std::uint64_t commits = 0, batches = 0, syncs = 0;
  std::uint64_t conflicts = 0;        // refused because a slot had moved
  std::uint64_t ticket_refusals = 0;  // because another had the ticket
  std::uint64_t floors = 0, quotas = 0, failures = 0;
  std::uint64_t bytes = 0;         // of changes accepted
  std::uint64_t queued_bytes = 0;  // now
};

// Owner: the Store. Thread-safe. Stops: `stop` decides what is queued, syncs, and joins its
// threads.
class Committer {
 public:
  // Versions continue after `first`, the state as the database was opened.
  Committer(std::shared_ptr<Database> database, TicketTable& tickets, UsageTable& usage,
            CommitObserver& observer, Version first, CommitterOptions options);
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Never waits; whoever calls bounds what is queued (`queued_bytes`).
  void submit(const std::shared_ptr<CommitRequest>& request);

  // Asks for a sync of all applied so far: somebody waits for what a turn has only read.
  void want_durable();

  void stop();

  // After a failure: drops the database and all that was read from it. Blocks. Returns the highest
  // version it ever gave; then `begin_again`, or the end.
  Version let_go();
  void begin_again(std::shared_ptr<Database> database, Version first);

  // When names were written last.
  const SlotTable& slots() const;
  CommitCounts counts() const;
  std::size_t queued_bytes() const;
  observe::DurationCounts sync_times() const;  // of syncs that went well

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::store
