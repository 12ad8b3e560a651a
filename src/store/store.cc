#include "store/store.h"

#include "store/backup.h"
#include "store/database_folder.h"
#include "store/part_ledger.h"
#include "store/part_sweeper.h"
#include "store/store_impl.h"
#include "store/sweeper.h"

namespace carrel::store {

void Mailbox::post(std::move_only_function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    posted_.push_back(std::move(work));
    if (posted_.size() > 1) return;
  }
  shard_.submit([self = shared_from_this()] { self->deliver(); });
}

void Mailbox::deliver() {
  std::vector<std::move_only_function<void()>> posted;
  {
    const std::lock_guard lock(mutex_);
    posted.swap(posted_);
  }
  for (auto& work : posted) work();
}

void Mailbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  posted_.clear();
}

ShardStore::ShardStore(Store& store, async::Shard& shard)
    : store_(store),
      shard_(shard),
      impl_(std::make_unique<Impl>(std::make_shared<Mailbox>(shard))) {}
ShardStore::~ShardStore() { impl_->mailbox->close(); }

void ShardStore::set_listener(DurabilityListener* listener) { impl_->listener = listener; }
Version ShardStore::durable() const { return Version{store_.impl_->durable.load()}; }
void ShardStore::listen() {
  if (impl_->listening.exchange(true)) return;
  impl_->mailbox->post([impl = impl_.get(), version = durable()] {
    if (impl->listener != nullptr) impl->listener->on_durable(version);
  });
}
void ShardStore::pause() { impl_->listening = false; }
void ShardStore::want_durable(Version version) {
  if (version > durable()) store_.impl_->committer->want_durable();
}

Result<Watch> ShardStore::watch(const TenantName& tenant, const Place& place,
                                std::string_view prefix) {
  return store_.impl_->feed.watch(tenant, place.kind, place.store, prefix, impl_->mailbox);
}

void Store::Impl::on_applied(std::shared_ptr<const Snapshot> state) {
  const std::lock_guard lock(mutex);
  if (!failure) newest.swap(state);
}

void Store::Impl::tell(Hearers hearers, const std::function<void(DurabilityListener&)>& what) {
  const std::lock_guard lock(mutex);
  for (const auto& shard : shards) {
    if (hearers == Hearers::listening && !shard->impl_->listening) continue;
    shard->impl_->mailbox->post([impl = shard->impl_.get(), what] {
      if (impl->listener != nullptr) what(*impl->listener);
    });
  }
}

void Store::Impl::on_durable(Version version) {
  durable = static_cast<std::uint64_t>(version);
  tell(Hearers::listening,
       [version](DurabilityListener& listener) { listener.on_durable(version); });
}

void Store::Impl::on_failed(Error cause, std::shared_ptr<const Snapshot> state) {
  {
    const std::lock_guard lock(mutex);
    failure = cause;
    newest = std::move(state);
  }
  changed.notify_all();
  tell(Hearers::all, [cause, version = Version{durable.load()}](DurabilityListener& listener) {
    listener.on_durable(version);
    listener.on_failure(cause);
  });
}

// Once a second: tickets and snapshots that are held for too long, records that have expired, parts
// that nothing needs.
void Store::Impl::run_sweeps() {
  Sweeper sweeper;
  PartSweeper part_sweeper(*parts);
  std::unique_lock lock(mutex);
  while (!changed.wait_for(lock, options.sweep_every, [this] { return stopping; })) {
    const Instant oldest = std::chrono::steady_clock::now() - options.longest_snapshot;
    for (const auto& shard : shards) {
      shard->impl_->mailbox->post([impl = shard->impl_.get(), oldest] {
        for (auto at = impl->holders.begin(); at != impl->holders.end();) {
          (at++)->give_up_before(oldest);  // which takes itself out
        }
      });
    }
    auto state = newest;
    lock.unlock();
    tickets.pass_on_late();
    if (state) sweep(sweeper, part_sweeper, *state);
    state.reset();  // without the lock
    lock.lock();
  }
}

// What cannot be read now is tried again in a second; `check` says what is damaged.
void Store::Impl::sweep(Sweeper& records, PartSweeper& unused, const Snapshot& state) {
  const WallTime now = clock->wall();
  if (const auto removed = records.step(*committer, state, now)) swept_records += *removed;
  const auto removed = unused.step(*committer, state, Version{durable.load()}, now);
  if (!removed) return;
  swept_parts += removed->unused;
  swept_files += removed->unfinished;
}

// What cannot be read counts as not used: it has no room, for now.
bool Store::Impl::is_used(const TenantName& tenant, const PartHash& hash) const {
  std::shared_ptr<const Snapshot> state;
  {
    const std::lock_guard lock(mutex);
    state = newest;
  }
  const auto recorded = state ? is_recorded(*state, tenant, hash) : Result<bool>(false);
  return recorded && *recorded;
}

DatabaseOptions Store::Impl::database_options() const {
  return {.folder = options.folder, .cache_bytes = options.cache_bytes, .files = options.files};
}

std::shared_ptr<Database> Store::Impl::open_database() const {
  const std::lock_guard lock(mutex);
  return database;
}

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  std::unique_ptr<Store> store(new Store);
  store->impl_ = std::make_unique<Impl>();
  Impl& impl = *store->impl_;
  impl.options = options;
  impl.clock = options.clock != nullptr ? options.clock : &system_clock();
  CARREL_TRY(impl.database, Database::open(impl.database_options()));
  std::error_code error;
  std::filesystem::create_directories(parts_folder(options.folder), error);
  if (error) return fail(Code::io, "cannot make the store's folder of parts: " + error.message());
  impl.io = std::make_unique<IoPool>(options.io_threads);
  impl.copying = std::make_unique<IoPool>(1);
  impl.parts = std::make_unique<Parts>(parts_folder(options.folder), options.on_damage);
  impl.fresh_parts = std::make_unique<FreshParts>(
      impl.usage.subtrees(), *impl.clock, [&impl](const TenantName& tenant, const PartHash& hash) {
        return impl.is_used(tenant, hash);
      });
  impl.newest = std::make_shared<const Snapshot>(
      Snapshot{.version = kNoVersion, .opened = kNoVersion, .view = impl.database->view()});
  impl.committer = std::make_unique<Committer>(
      impl.database, impl.tickets, impl.usage, impl, kNoVersion,
      CommitterOptions{.wall = [clock = impl.clock] { return clock->wall(); }, .feed = &impl.feed});
  impl.records.emplace(impl.committer->slots(), options.record_bytes);
  impl.sweeping = std::thread([&impl] { impl.run_sweeps(); });
  impl.recovering = std::thread([&impl] { impl.run_recovery(); });
  return store;
}

Store::Store() = default;
Store::~Store() {
  if (impl_) stop();
}

ShardStore& Store::attach(async::Shard& shard) {
  const std::lock_guard lock(impl_->mutex);
  return *impl_->shards.emplace_back(std::make_unique<ShardStore>(*this, shard));
}

void Store::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  impl_->stop_copying.request_stop();
  if (impl_->copying) impl_->copying->stop();
  if (impl_->io) impl_->io->stop();
  if (impl_->sweeping.joinable()) impl_->sweeping.join();
  if (impl_->recovering.joinable()) impl_->recovering.join();
  if (impl_->committer) impl_->committer->stop();
}

StoreStatus Store::status() const {
  StoreStatus status;
  status.commits = impl_->committer->counts();
  status.sync_times = impl_->committer->sync_times();
  status.tickets = impl_->tickets.counts();
  status.reruns = impl_->reruns;
  status.disk_reads = impl_->disk_reads;
  status.expired_snapshots = impl_->expired;
  status.corruptions = impl_->corruptions;
  status.held_back = impl_->held_back;
  status.watches = impl_->feed.watches();
  status.damaged_parts = impl_->parts->damaged();
  status.swept_records = impl_->swept_records;
  status.swept_parts = impl_->swept_parts;
  status.swept_files = impl_->swept_files;
  if (const auto database = impl_->open_database()) status.size = database->size();
  status.health = health();
  const std::lock_guard lock(impl_->mutex);
  if (impl_->failure) status.problem = impl_->failure->message();
  return status;
}

StoreStatus::Health Store::health() const {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->failure) return StoreStatus::Health::well;
  return impl_->reopening ? StoreStatus::Health::reopening : StoreStatus::Health::failed;
}

void Store::limit_storage(const TenantName& tenant, std::optional<std::uint64_t> bytes) {
  impl_->usage.subtrees().limit(tenant.str(), bytes);
}

std::uint64_t Store::stored_below(const TenantName& tenant) const {
  const std::int64_t bytes = impl_->usage.subtrees().of(tenant.str()).bytes;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0));
}

Usage Store::usage(const TenantName& tenant) const {
  auto account = impl_->usage.find(tenant);
  if (!account) {
    const auto database = impl_->open_database();
    if (!database) return {};
    auto loaded = impl_->usage.load(tenant, *database);
    if (!loaded) return {};
    account = *loaded;
  }
  return {.bytes = static_cast<std::uint64_t>(account->bytes.load()),
          .names = static_cast<std::uint64_t>(account->names.load())};
}

Result<std::shared_ptr<const Snapshot>> Store::snapshot() const {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->newest) return fail(Code::unavailable, "the store is being opened again");
  return impl_->newest;
}

IoPool& Store::io() { return *impl_->io; }
Parts& Store::parts() { return *impl_->parts; }
FreshParts& Store::fresh_parts() { return *impl_->fresh_parts; }

async::Task<Result<void>> Store::backup(async::Shard& shard, std::filesystem::path target) {
  const auto result = std::make_shared<Result<void>>();
  co_await impl_->copying->run(shard, [impl = impl_.get(), result, target = std::move(target)] {
    auto database = impl->open_database();
    *result = database == nullptr ? fail(Code::unavailable, "the store is being opened again")
                                  : make_backup(std::move(database), *impl->parts, target,
                                                impl->stop_copying.get_token());
  });
  co_return std::move(*result);
}

}  // namespace carrel::store
