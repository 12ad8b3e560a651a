// The store: state that survives, for all turns of the node.
//
// It puts the parts together: the database, the committer, the I/O threads, the sweeper, and what
// opens the database again after it failed. Each shard reaches it through its own ShardStore.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "async/shard.h"
#include "base/clock.h"
#include "store/committer.h"
#include "store/database.h"
#include "store/feed.h"
#include "store/io_pool.h"
#include "store/parts.h"
#include "store/transaction.h"

namespace carrel::store {

struct StoreOptions {
  std::filesystem::path folder;
  std::uint64_t cache_bytes = 256ULL << 20;
  std::size_t record_bytes = 64 << 20;  // of records kept in memory (record_cache.h)
  unsigned io_threads = 2;
  std::size_t queue_bytes = 64 << 20;  // of changes on their way to the committer; then turns wait
  Nanos longest_snapshot = std::chrono::seconds(10);
  Nanos sweep_every = std::chrono::seconds(1);
  Nanos retry_after = std::chrono::seconds(1);  // between attempts to open it again
  const Clock* clock = nullptr;                 // null: the machine's
  Parts::OnDamage on_damage;                    // null: only `status` says so
  std::shared_ptr<DatabaseFiles> files;         // null: the machine's; tests let them fail
  Reach looks = Reach::memory;  // where a turn looks first; disk: it waits for all it reads (tests)
};

// Told on its shard, in order.
class DurabilityListener {
 public:
  // While it listens, and before a failure.
  virtual void on_durable(Version version) = 0;
  virtual void on_failure(const Error& cause) = 0;  // what is not durable by now will not be
  virtual void on_reopened(Version version) = 0;    // durable as of it

 protected:
  ~DurabilityListener() = default;
};

struct StoreStatus {
  enum class Health : std::uint8_t { well, failed, reopening } health = Health::well;
  std::string problem;  // why it is not well
  CommitCounts commits;
  observe::DurationCounts sync_times;
  TicketTable::Counts tickets;
  std::uint64_t reruns = 0;      // turns that began anew
  std::uint64_t disk_reads = 0;  // reads that were not in memory
  std::uint64_t expired_snapshots = 0;
  std::uint64_t corruptions = 0;    // damaged data met by reads
  std::uint64_t damaged_parts = 0;  // now, as far as they were read
  std::uint64_t swept_records = 0, swept_parts = 0, swept_files = 0;
  std::uint64_t held_back = 0;  // commits that waited because too much was queued
  std::uint64_t watches = 0;    // of stores, now
  Database::Size size;
};

// A tenant's account. Exact: changed with the commits it counts.
struct Usage {
  std::uint64_t bytes = 0;  // names, values and blobs
  std::uint64_t names = 0;
};

class FreshParts;
class Store;

// A shard's way to the store. Owner: the Store. Thread: its shard's.
class ShardStore {
 public:
  ShardStore(Store& store, async::Shard& shard);
  ~ShardStore();
  ShardStore(const ShardStore&) = delete;
  ShardStore& operator=(const ShardStore&) = delete;

  Store& store() { return store_; }
  async::Shard& shard() { return shard_; }
  // One: the shard's output gate. Outlives what the shard does.
  void set_listener(DurabilityListener* listener);
  Version durable() const;
  // Whether the listener is told of versions as they become durable: a shard on which nobody waits
  // is not woken. Who begins to listen is told of the newest first.
  void listen();
  void pause();
  // Somebody waits for `version`, which was only read.
  void want_durable(Version version);
  // Changes from now on of names that begin with `prefix`. Errors: too_many_requests.
  Result<Watch> watch(const TenantName& tenant, const Place& place, std::string_view prefix);

 private:
  friend class Transaction;
  friend class Store;
  struct Impl;
  Store& store_;
  async::Shard& shard_;
  std::unique_ptr<Impl> impl_;
};

// Owner: the composition root; outlives the shards' work. Thread-safe. Stops: `stop`, before the
// shards go, commits what is on its way and syncs; afterwards commits are refused with
// shutting_down, reads that are not in memory do not return, and no thread of the store touches a
// shard.
class Store {
 public:
  // Blocks. Errors: those of Database::open.
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Once a shard, before or while it runs.
  ShardStore& attach(async::Shard& shard);
  void stop();

  StoreStatus status() const;
  StoreStatus::Health health() const;  // the status's
  Usage usage(const TenantName& tenant) const;
  // Bytes that a tenant may store with all that is below it (subtree_quotas.h); nothing: no bound.
  void limit_storage(const TenantName& tenant, std::optional<std::uint64_t> bytes);
  // Bytes that they store by now.
  std::uint64_t stored_below(const TenantName& tenant) const;
  // The newest applied state. Errors: unavailable while it is being opened again.
  Result<std::shared_ptr<const Snapshot>> snapshot() const;
  IoPool& io();
  Parts& parts();
  FreshParts& fresh_parts();
  // As `make_backup`, on a thread of its own, one after the other; returns on `shard`. Errors:
  // those of make_backup; unavailable.
  async::Task<Result<void>> backup(async::Shard& shard, std::filesystem::path target);

 private:
  friend class ShardStore;
  friend class Transaction;
  Store();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::store
