// A transaction: one turn's view of the store. It reads a snapshot and its own changes, remembers
// what it read, and keeps what it changes until the turn is committed.
//
// The snapshot is the newest applied state at the first access, and is given up after ten seconds.
// Reading never waits: an answer that is not in memory, or a name that others queue for, is
// `nothing`; then await the `fetch` of the same name and ask again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/id.h"
#include "base/result.h"
#include "store/changes.h"
#include "store/key.h"
#include "store/record.h"
#include "store/snapshot.h"
#include "store/tickets.h"

namespace carrel::store {

class ShardStore;

struct TransactionLimits {
  std::size_t effects = 10'000;      // names changed and additions made
  std::size_t bytes = 8 << 20;       // of names and values changed
  std::uint64_t quota = UINT64_MAX;  // bytes the tenant may store
  Sync sync = Sync::always;
};

// Names of one store of the transaction's tenant.
struct Place {
  Kind kind;
  std::string store;
  bool operator==(const Place&) const = default;
};

struct FolderEntry {
  std::string name;  // one segment of the names below the folder
  bool folder =
      false;  // there are names below it; a name that is both comes twice, the value first
  auto operator<=>(const FolderEntry&) const = default;
};
struct FolderPage {
  std::vector<FolderEntry> entries;
  bool end = false;
};

struct NameEntry {
  std::string name;
  std::uint64_t size = 0;     // bytes of the value; a blob's own size is in its manifest
  std::uint64_t expires = 0;  // as in Record
};
struct NamePage {
  std::vector<NameEntry> entries;
  bool end = false;
};

// Whether a read is a reason to run the turn again when what it read has changed.
enum class Track : std::uint8_t { yes, no };

// Owner: the turn. Thread: its shard. Stops: destruction gives up the snapshot and the tickets.
class Transaction {
 public:
  Transaction(ShardStore& store, TenantName tenant, const TransactionLimits& limits);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // The record under a name as this turn sees it; an expired one is not there. The pointer is good
  // until the name is changed, or sixteen other names have been read. Errors: snapshot_expired,
  // data_corrupt, io, unavailable.
  Peek<const Record*> get(const Place& place, std::string_view name, Track track = Track::yes);
  async::Task<void> fetch(Place place, std::string name);
  // `get`, having fetched what it must.
  async::Task<Result<const Record*>> read(Place place, std::string name, Track track = Track::yes);
  // The same for who goes on where a record is damaged.
  struct Found {
    const Record* record = nullptr;
    bool damaged = false;
    bool any() const { return record != nullptr || damaged; }
  };
  async::Task<Result<Found>> look(Place place, std::string name, Track track = Track::yes);

  // What is directly below a folder ("" or "a/b"), in order, after `after` (nothing: from the
  // first), at most `max`. Own changes included.
  Peek<FolderPage> list(const Place& place, std::string_view folder,
                        const std::optional<FolderEntry>& after, std::size_t max);
  async::Task<void> fetch_list(Place place, std::string folder, std::optional<FolderEntry> after,
                               std::size_t max);
  // Whether there are names below a folder.
  Peek<bool> has_below(const Place& place, std::string_view folder);

  // Names that begin with `prefix`, after `after` ("": from the first). Own changes included.
  Peek<NamePage> scan(const Place& place, std::string_view prefix, std::string_view after,
                      std::size_t max);
  async::Task<void> fetch_scan(Place place, std::string prefix, std::string after, std::size_t max);
  // `scan`, having fetched what it must.
  async::Task<Result<NamePage>> read_names(Place place, std::string prefix, std::string after,
                                           std::size_t max);

  // Changes. `get` must have answered for the name before (Track::no will do for one that is only
  // overwritten). Errors: effects_limit; quota_exceeded when the tenant has no room for it as far
  // as is known now (the committer's word is the last).
  Result<void> put(const Place& place, std::string_view name, Record record);
  Result<void> erase(const Place& place, std::string_view name);
  // What was under a name is under another: both are changed or, when it is refused, neither.
  // `record`, and what it weighs (`set_weight`), is the one that moves.
  Result<void> move(const Place& place, std::string_view name, const Place& to,
                    std::string_view new_name, Record record, std::uint64_t weight);
  // The turn's own copy of a record to change in place, empty if there is none; good until the end
  // of the turn or the name's `erase` or `put`. It is asked for right after its `get`, as nothing
  // is read here. Bytes it is to grow by are asked for first.
  Result<Record*> edit(const Place& place, std::string_view name);
  Result<void> grow(const Place& place, std::string_view name, std::int64_t bytes);
  // For what a changed record stands for and does not hold: a blob's size. Counts toward the quota
  // only.
  Result<void> set_weight(const Place& place, std::string_view name, std::uint64_t bytes);
  // Adds to a counter at commit. Additions of a turn to one counter are summed; the highest floor
  // counts. Errors: effects_limit; invalid_argument when the sum overflows.
  Result<void> add(std::string_view store, std::string_view name, std::int64_t delta,
                   std::optional<std::int64_t> floor);

  // Why the store did not answer this turn, if it did not: unavailable, snapshot_expired,
  // data_corrupt, io. The guest has seen an errno; this is the cause.
  const std::optional<Error>& failure() const;

  bool changes_anything() const;
  bool has_read() const;  // it has a snapshot
  // The highest version it has seen; what it says must not leave before this is durable.
  Version seen() const;
  // Kept for `carrel test` and records: what it would change, in order of names; by store.
  Changes changes() const;

  // Commits. Returns the version as of which it is applied, or why nothing happened. Nothing to
  // change: `seen()`. Errors: those of Verdict. At most once between restarts.
  async::Task<Result<Version>> commit();
  // Begins anew with a new snapshot, holding tickets for all names it has lost by so far; waits for
  // them.
  async::Task<void> restart();

 private:
  friend class ShardStore;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::store
