#include "store/transaction.h"

#include <algorithm>

#include "store/transaction_impl.h"

namespace carrel::store {
namespace {

constexpr std::size_t kMostReads = 65'536;
constexpr std::size_t kKept = 16;  // records read last
constexpr std::size_t kMostKnown = 20'000;

const std::string& key_of_read(const std::shared_ptr<const ReadRecord>& read) { return read->key; }

}  // namespace

Transaction::Impl::Impl(ShardStore& s, Store::Impl& all, ShardStore::Impl& mine, TenantName t,
                        const TransactionLimits& l)
    : shard(s),
      store(all),
      local(mine),
      tenant(std::move(t)),
      limits(l),
      tickets(all.tickets, s.shard()) {}

Error Transaction::Impl::expired_error() {
  return Error(Code::snapshot_expired, "the turn held its view of the store for too long");
}

std::unexpected<Error> Transaction::Impl::failed(Error error) {
  failure = error;
  return std::unexpected(std::move(error));
}

Result<void> Transaction::Impl::begin() {
  if (expired) return failed(expired_error());
  if (snapshot) return {};
  {
    const std::lock_guard lock(store.mutex);
    snapshot = store.newest;
  }
  if (!snapshot) return failed(Error(Code::unavailable, "the store is being opened again"));
  began = std::chrono::steady_clock::now();
  now = milliseconds(store.clock->wall());
  seen = std::max(seen, snapshot->version);
  local.holders.push_back(*this);
  return {};
}

void Transaction::Impl::forget() {
  unlink();
  snapshot.reset();
  expired = false;
  reads.clear();
  read_places.clear();
  many_reads = false;
  own.clear();
  sums.clear();
  known.clear();
  kept.clear();
  bytes = 0;
  weights = 0;
  replaced = 0;
  account.reset();
  fetched_folder = {};
  fetched_names = {};
}

void Transaction::Impl::give_up_before(Instant oldest) {
  if (!snapshot || began > oldest) return;
  snapshot.reset();
  expired = true;
  ++store.expired;
  unlink();
  tickets.give_back();
}

void Transaction::Impl::track(std::uint64_t hash, const Place& place) {
  if (std::ranges::find(read_places, place) == read_places.end()) read_places.push_back(place);
  if (many_reads) return;
  reads.push_back(hash);
  if (reads.size() > kMostReads) {
    many_reads = true;
    reads = {};
  }
}

std::shared_ptr<const ReadRecord> Transaction::Impl::find_kept(std::string_view key) const {
  const auto read = std::ranges::find(kept, key, key_of_read);
  return read == kept.end() ? nullptr : *read;
}

// What this turn, or another of the node, has read or written.
std::shared_ptr<const ReadRecord> Transaction::Impl::find_read(std::uint64_t hash,
                                                               std::string_view key) {
  auto own_read = find_kept(key);
  if (own_read || !looks_in_memory()) return own_read;
  auto read = store.records->find(hash, key, *snapshot);
  if (read) keep(read);
  return read;
}

void Transaction::Impl::keep(std::shared_ptr<const ReadRecord> read) {
  kept.push_back(std::move(read));
  if (kept.size() <= kKept) return;
  const ReadRecord& oldest = *kept.front();
  if (oldest.before.known && known.size() < kMostKnown) known[oldest.key] = oldest.before;
  kept.erase(kept.begin());
}

Before Transaction::Impl::before(const std::string& key) const {
  if (const auto read = find_kept(key)) return read->before;
  const auto at = known.find(key);
  return at == known.end() ? Before() : at->second;
}

std::shared_ptr<const ReadRecord> Transaction::Impl::keep_read(
    const Place& place, std::string_view name, std::uint64_t hash, std::string key,
    Result<std::optional<std::string>> stored) {
  auto read = std::make_shared<ReadRecord>(std::move(key), std::optional<Record>());
  if (!stored) {
    read->record = std::unexpected(std::move(stored).error());
  } else if (*stored) {
    read->record = decode_record(**stored);
    if (!*read->record) read->record = fail(Code::data_corrupt, "a stored record is damaged");
  }
  if (read->record) {
    read->before = before_of(place.kind, name, view_of(*read->record));
  } else if (read->record.error().code() == Code::data_corrupt) {
    ++store.corruptions;
  }
  store.records->keep(hash, snapshot->version, read);
  keep(read);
  return read;
}

Transaction::Transaction(ShardStore& store, TenantName tenant, const TransactionLimits& limits)
    : impl_(std::make_unique<Impl>(store, *store.store().impl_, *store.impl_, std::move(tenant),
                                   limits)) {}
Transaction::~Transaction() = default;

Peek<const Record*> Transaction::get(const Place& place, std::string_view name, Track track) {
  using Answer = Result<const Record*>;
  std::string key = encode(impl_->key_of(place, name));
  const std::uint64_t hash = hash_of(key);
  if (impl_->must_queue(hash)) return {};
  if (auto begun = impl_->begin(); !begun) return Answer(std::unexpected(begun.error()));
  const auto visible = [this](const Record& record) {
    return impl_->is_there(record) ? &record : nullptr;
  };
  if (const auto own = impl_->own.find(key); own != impl_->own.end()) {
    return Answer(own->second.there ? visible(own->second.record) : nullptr);
  }
  auto read = impl_->find_read(hash, key);
  if (!read) {
    if (!impl_->looks_in_memory()) return {};
    auto stored = impl_->snapshot->view->get(key, Reach::memory);
    if (!stored) return {};
    read = impl_->keep_read(place, name, hash, std::move(key), std::move(*stored));
  }
  if (!read->record) return Answer(impl_->failed(read->record.error()));
  if (track == Track::yes) impl_->track(hash, place);
  return Answer(*read->record ? visible(**read->record) : nullptr);
}

async::Task<void> Transaction::fetch(Place place, std::string name) {
  std::string key = encode(impl_->key_of(place, name));
  const std::uint64_t hash = hash_of(key);
  if (impl_->must_queue(hash)) {
    co_await impl_->tickets.take({hash});
    co_return;
  }
  if (!impl_->begin()) co_return;
  const auto view = impl_->snapshot->view;
  const auto stored = std::make_shared<Result<std::optional<std::string>>>();
  ++impl_->store.disk_reads;
  co_await impl_->store.io->run(impl_->shard.shard(),
                                [view, key, stored] { *stored = *view->get(key, Reach::disk); });
  if (impl_->snapshot && !impl_->find_read(hash, key)) {
    impl_->keep_read(place, name, hash, std::move(key), std::move(*stored));
  }
}

async::Task<Result<const Record*>> Transaction::read(Place place, std::string name, Track track) {
  for (;;) {
    if (auto found = get(place, name, track)) co_return std::move(*found);
    co_await fetch(place, name);
  }
}

async::Task<Result<Transaction::Found>> Transaction::look(Place place, std::string name,
                                                          Track track) {
  auto found = co_await read(std::move(place), std::move(name), track);
  if (found) co_return Found{.record = *found};
  if (found.error().code() == Code::data_corrupt) co_return Found{.damaged = true};
  co_return std::unexpected(std::move(found).error());
}

const std::optional<Error>& Transaction::failure() const { return impl_->failure; }

bool Transaction::changes_anything() const { return !impl_->own.empty() || !impl_->sums.empty(); }
bool Transaction::has_read() const { return impl_->snapshot != nullptr || impl_->expired; }
Version Transaction::seen() const { return impl_->seen; }

}  // namespace carrel::store
