// What the store's own sources share.
#pragma once

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "store/feed.h"
#include "store/fresh_parts.h"
#include "store/record_cache.h"
#include "store/store.h"
#include "store/usage_table.h"

namespace carrel::store {

class PartSweeper;
class Sweeper;

// A transaction that is told when its snapshot has become too old.
class SnapshotHolder : public boost::intrusive::list_base_hook<
                           boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual void give_up_before(Instant oldest) = 0;

 protected:
  ~SnapshotHolder() = default;
};

// What other threads have to say to a shard: gathered, one submission for all of it. Thread-safe;
// outlives the shard's part of the store.
class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  explicit Mailbox(async::Shard& shard) : shard_(shard) {}
  void post(std::move_only_function<void()> work);
  // Drops what is there and what comes: the shard's part of the store is gone.
  void close();

 private:
  void deliver();
  async::Shard& shard_;
  std::mutex mutex_;
  std::vector<std::move_only_function<void()>> posted_;
  bool closed_ = false;
};

struct ShardStore::Impl {
  std::shared_ptr<Mailbox> mailbox;
  DurabilityListener* listener = nullptr;
  std::atomic<bool> listening = false;
  // With a snapshot.
  boost::intrusive::list<SnapshotHolder, boost::intrusive::constant_time_size<false>> holders;
};

struct Store::Impl final : CommitObserver {
  StoreOptions options;
  const Clock* clock = nullptr;
  std::shared_ptr<Database> database;  // under `mutex`; null while it is being opened again
  TicketTable tickets;
  UsageTable usage;
  Feed feed;
  std::unique_ptr<Parts> parts;             // outlives the pool, whose work uses it
  std::unique_ptr<FreshParts> fresh_parts;  // likewise
  std::unique_ptr<IoPool> io, copying;
  std::stop_source stop_copying;

  mutable std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;
  std::shared_ptr<const Snapshot> newest;
  std::optional<Error> failure;
  bool reopening = false;
  std::vector<std::unique_ptr<ShardStore>> shards;
  std::atomic<std::uint64_t> durable = 0, reruns = 0, disk_reads = 0, expired = 0, corruptions = 0;
  std::atomic<std::uint64_t> swept_records = 0, swept_parts = 0, swept_files = 0;
  std::atomic<std::uint64_t> held_back = 0;
  std::unique_ptr<Committer> committer;
  std::optional<RecordCache> records;
  std::thread sweeping, recovering;

  void on_applied(std::shared_ptr<const Snapshot> state) override;
  void on_durable(Version version) override;
  void on_failed(Error cause, std::shared_ptr<const Snapshot> state) override;
  enum class Hearers : std::uint8_t { all, listening };
  void tell(Hearers hearers, const std::function<void(DurabilityListener&)>& what);
  bool is_used(const TenantName& tenant, const PartHash& hash) const;
  void run_sweeps();
  void sweep(Sweeper& records, PartSweeper& unused, const Snapshot& state);
  DatabaseOptions database_options() const;
  std::shared_ptr<Database> open_database() const;  // null: while it is being opened again

  // recovery.cc
  void run_recovery();
  void reopen();
  bool close_database();
};

}  // namespace carrel::store
