#include "store/transaction.h"

#include <algorithm>
#include <deque>

#include "store/merged_walk.h"
#include "store/store_impl.h"

namespace carrel::store {
namespace {

constexpr std::size_t kMostReads = 65'536;  // beyond, whole stores are what was read
constexpr std::size_t kKept = 16;           // records read last
constexpr std::size_t kMostKnown = 20'000;

struct Own {
  Place place;
  std::string name;
  bool there = false;
  Record record;
  std::uint64_t weight = 0;
  Before before;
};

struct ReadRecord {
  std::string key;
  Result<std::optional<Record>> record;
};

struct Sum {
  std::string store, name;
  std::int64_t delta = 0;
  std::optional<std::int64_t> floor;
};

// A commit on its way; outlives its turn if that ends first. `waiting`: the shard's thread only.
struct Request final : CommitRequest, std::enable_shared_from_this<Request> {
  Request(Changes c, std::shared_ptr<Mailbox> m)
      : CommitRequest(std::move(c)), mailbox(std::move(m)) {}
  void decided(Verdict v) override {
    verdict = std::move(v);
    mailbox->post([self = shared_from_this()] {
      if (self->waiting) std::exchange(self->waiting, nullptr).resume();
    });
  }
  std::shared_ptr<Mailbox> mailbox;
  std::coroutine_handle<> waiting;
  Verdict verdict;
};

struct Decision {
  Committer& committer;
  std::shared_ptr<Request> request;
  Decision(Committer& c, std::shared_ptr<Request> r) : committer(c), request(std::move(r)) {}
  Decision(const Decision&) = delete;
  Decision& operator=(const Decision&) = delete;
  ~Decision() { request->waiting = nullptr; }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) {
    request->waiting = caller;
    committer.submit(request);
  }
  void await_resume() const noexcept {}
};

Error expired_error() {
  return Error(Code::snapshot_expired, "the turn held its view of the store for too long");
}

std::string base_of(std::string_view folder) {
  return folder.empty() ? std::string() : std::string(folder) + '/';
}

Peek<FolderPage> folder_page(MergedWalk& walk, const std::string& folder,
                             const std::optional<FolderEntry>& after, std::size_t max) {
  using State = Cursor::State;
  const std::string base = base_of(folder);
  std::string from = base;
  if (after) from += after->name + (after->folder ? '0' : '\0');
  FolderPage page;
  State state = walk.seek(from);
  while (state == State::valid && walk.name().starts_with(base)) {
    if (page.entries.size() == max) return Result<FolderPage>(std::move(page));
    const std::string_view rest = std::string_view(walk.name()).substr(base.size());
    const auto slash = rest.find('/');
    FolderEntry entry{.name = std::string(rest.substr(0, slash)),
                      .folder = slash != std::string_view::npos};
    state = entry.folder ? walk.seek(base + entry.name + '0') : walk.next();
    page.entries.push_back(std::move(entry));
  }
  if (state == State::not_in_memory) return {};
  if (state == State::failed) return Result<FolderPage>(std::unexpected(walk.error()));
  page.end = true;
  return Result<FolderPage>(std::move(page));
}

Peek<NamePage> name_page(MergedWalk& walk, const std::string& prefix, const std::string& after,
                         std::size_t max) {
  using State = Cursor::State;
  NamePage page;
  State state = walk.seek(after < prefix || after.empty() ? prefix : after + '\0');
  for (; state == State::valid && walk.name().starts_with(prefix); state = walk.next()) {
    if (page.entries.size() == max) return Result<NamePage>(std::move(page));
    page.entries.push_back({.name = walk.name(), .size = walk.size(), .expires = walk.expires()});
  }
  if (state == State::not_in_memory) return {};
  if (state == State::failed) return Result<NamePage>(std::unexpected(walk.error()));
  page.end = true;
  return Result<NamePage>(std::move(page));
}

// A page that was fetched, until it is asked for.
template <typename Page>
struct Fetched {
  std::string question;
  std::optional<Result<Page>> page;
};

}  // namespace

struct Transaction::Impl final : SnapshotHolder {
  ShardStore& shard;
  Store::Impl& store;
  ShardStore::Impl& local;
  TenantName tenant;
  TransactionLimits limits;
  Tickets tickets;
  std::vector<std::uint64_t> lost;
  std::shared_ptr<const Snapshot> snapshot;
  Instant began;
  bool expired = false;
  std::optional<Error> failure;  // of a read
  std::uint64_t now = 0;
  Version seen{};
  std::vector<std::uint64_t> reads;
  std::set<std::uint64_t> read_stores;
  bool many_reads = false;
  std::map<std::string, Own> own;
  std::map<std::string, Sum> sums;
  std::map<std::string, Before> known;
  std::deque<ReadRecord> kept;
  std::size_t bytes = 0;       // of names and values changed
  std::uint64_t weights = 0;   // of what these stand for beside
  std::uint64_t replaced = 0;  // charged for what was there before
  Fetched<FolderPage> fetched_folder;
  Fetched<NamePage> fetched_names;

  Impl(ShardStore& s, Store::Impl& all, ShardStore::Impl& mine, TenantName t,
       const TransactionLimits& l)
      : shard(s),
        store(all),
        local(mine),
        tenant(std::move(t)),
        limits(l),
        tickets(all.tickets, s.shard()) {}
  ~Impl() { local.holders.erase(this); }

  Key key_of(const Place& place, std::string_view name) const {
    return {.tenant = tenant.str(), .kind = place.kind, .store = place.store, .name = name};
  }

  void give_up_before(Instant oldest) override {
    if (!snapshot || began > oldest) return;
    snapshot.reset();
    expired = true;
    ++store.expired;
    local.holders.erase(this);
    tickets.give_back();
  }

  void forget() {
    local.holders.erase(this);
    snapshot.reset();
    expired = false;
    reads.clear();
    read_stores.clear();
    many_reads = false;
    own.clear();
    sums.clear();
    known.clear();
    kept.clear();
    bytes = 0;
    weights = 0;
    replaced = 0;
    fetched_folder = {};
    fetched_names = {};
  }

  std::unexpected<Error> failed(Error error) {
    failure = error;
    return std::unexpected(std::move(error));
  }

  Result<void> begin() {
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
    local.holders.insert(this);
    return {};
  }

  bool must_queue(std::uint64_t hash) const {
    return !snapshot && tickets.empty() && store.tickets.contended(hash);
  }

  void track(std::uint64_t hash, const Place& place) {
    read_stores.insert(hash_of_store(key_of(place, {})));
    if (many_reads) return;
    reads.push_back(hash);
    if (reads.size() > kMostReads) {
      many_reads = true;
      reads = {};
    }
  }

  ReadRecord* find_kept(const std::string& key) {
    const auto found = std::ranges::find(kept, key, &ReadRecord::key);
    return found == kept.end() ? nullptr : &*found;
  }

  ReadRecord& keep(const Place& place, std::string_view name, std::string key,
                   Result<std::optional<std::string>> stored) {
    ReadRecord read{.key = std::move(key), .record = std::optional<Record>()};
    Before before{.known = true};
    if (!stored) {
      if (stored.error().code() == Code::data_corrupt) ++store.corruptions;
      read.record = std::unexpected(std::move(stored).error());
    } else if (*stored) {
      read.record = decode_record(**stored);
      if (!*read.record) {
        ++store.corruptions;
        read.record = fail(Code::data_corrupt, "a stored record is damaged");
      } else {
        const Record& record = **read.record;
        before.existed = true;
        before.expires = record.expires;
        before.charge = charge_of(place.kind, name, {record.bytes, record.expires});
      }
    }
    if (read.record && known.size() < kMostKnown) known[read.key] = before;
    if (kept.size() == kKept) kept.pop_front();
    return kept.emplace_back(std::move(read));
  }

  std::vector<OwnName> own_names(const Place& place) const {
    std::vector<OwnName> names;
    const std::string prefix = prefix_of(tenant.str(), place.kind, place.store);
    for (auto at = own.lower_bound(prefix); at != own.end() && at->first.starts_with(prefix);
         ++at) {
      const Own& mine = at->second;
      names.push_back({mine.name, mine.there, mine.record.bytes.size(), mine.record.expires});
    }
    return names;
  }

  MergedWalk walk(const Place& place, Reach reach) const {
    return {snapshot->view, prefix_of(tenant.str(), place.kind, place.store), own_names(place), now,
            reach};
  }

  // The turn's own entry for a name, made if it has none.
  Result<Own*> change(const Place& place, std::string_view name) {
    CARREL_TRY_VOID(begin());
    std::string key = encode(key_of(place, name));
    if (const auto found = own.find(key); found != own.end()) return &found->second;
    if (own.size() + sums.size() >= limits.effects) {
      return fail(Code::effects_limit, "a turn changed too many names");
    }
    CARREL_TRY_VOID(fits(static_cast<std::int64_t>(name.size())));
    Own fresh{.place = place, .name = std::string(name)};
    if (const auto at = known.find(key); at != known.end()) fresh.before = at->second;
    bytes += name.size();
    replaced += fresh.before.charge;
    return &own.emplace(std::move(key), std::move(fresh)).first->second;
  }

  Result<void> fits(std::int64_t more) const {
    if (more > 0 && bytes + static_cast<std::uint64_t>(more) > limits.bytes) {
      return fail(Code::effects_limit, "a turn changed too many bytes");
    }
    return {};
  }

  Result<void> within_quota(std::int64_t more) const {
    if (more <= 0 || limits.quota == UINT64_MAX) return {};
    // Known to be too much only if all that the turn replaces would not make room for it.
    const auto account = store.usage.find(tenant);
    const auto used = account ? static_cast<std::uint64_t>(account->bytes.load()) : 0;
    if (used + bytes + weights + static_cast<std::uint64_t>(more) > limits.quota + replaced) {
      return fail(Code::quota_exceeded, "the tenant's storage quota is used up");
    }
    return {};
  }

  Result<void> room(std::int64_t more) {
    CARREL_TRY_VOID(fits(more));
    CARREL_TRY_VOID(within_quota(more));
    bytes = static_cast<std::size_t>(
        std::max<std::int64_t>(static_cast<std::int64_t>(bytes) + more, 0));
    return {};
  }

  Result<void> weigh(Own& mine, std::uint64_t weight) {
    const auto more = static_cast<std::int64_t>(weight) - static_cast<std::int64_t>(mine.weight);
    CARREL_TRY_VOID(within_quota(more));
    weights += static_cast<std::uint64_t>(more);
    mine.weight = weight;
    return {};
  }
};

Transaction::Transaction(ShardStore& store, TenantName tenant, const TransactionLimits& limits)
    : impl_(std::make_unique<Impl>(store, *store.store().impl_, *store.impl_, std::move(tenant),
                                   limits)) {}
Transaction::~Transaction() = default;

Peek<const Record*> Transaction::get(const Place& place, std::string_view name, Track track) {
  using Answer = Result<const Record*>;
  const std::uint64_t hash = hash_of_name(impl_->key_of(place, name));
  if (impl_->must_queue(hash)) return {};
  if (auto begun = impl_->begin(); !begun) return Answer(std::unexpected(begun.error()));
  std::string key = encode(impl_->key_of(place, name));
  const auto visible = [this](const Record& record) {
    return record.expires == 0 || record.expires > impl_->now ? &record : nullptr;
  };
  if (const auto own = impl_->own.find(key); own != impl_->own.end()) {
    return Answer(own->second.there ? visible(own->second.record) : nullptr);
  }
  ReadRecord* read = impl_->find_kept(key);
  if (read == nullptr) {
    auto stored = impl_->snapshot->view->get(key, Reach::memory);
    if (!stored) return {};
    read = &impl_->keep(place, name, std::move(key), std::move(*stored));
  }
  if (!read->record) return Answer(impl_->failed(read->record.error()));
  if (track == Track::yes) impl_->track(hash, place);
  return Answer(*read->record ? visible(**read->record) : nullptr);
}

async::Task<void> Transaction::fetch(Place place, std::string name) {
  const std::uint64_t hash = hash_of_name(impl_->key_of(place, name));
  if (impl_->must_queue(hash)) {
    co_await impl_->tickets.take({hash});
    co_return;
  }
  if (!impl_->begin()) co_return;
  std::string key = encode(impl_->key_of(place, name));
  const auto view = impl_->snapshot->view;
  const auto stored = std::make_shared<Result<std::optional<std::string>>>();
  ++impl_->store.disk_reads;
  co_await impl_->store.io->run(impl_->shard.shard(),
                                [view, key, stored] { *stored = *view->get(key, Reach::disk); });
  if (impl_->find_kept(key) == nullptr) {
    impl_->keep(place, name, std::move(key), std::move(*stored));
  }
}

namespace {
std::string question_of(const Place& place, std::string_view of, std::string_view after,
                        std::size_t max) {
  return encode(Key{std::to_string(max), place.kind, place.store, of}) + '\0' + std::string(after);
}
std::string text_of(const std::optional<FolderEntry>& after) {
  return after ? (after->folder ? "/" : ".") + after->name : "";
}
}  // namespace

Peek<FolderPage> Transaction::list(const Place& place, std::string_view folder,
                                   const std::optional<FolderEntry>& after, std::size_t max) {
  if (auto begun = impl_->begin(); !begun)
    return Result<FolderPage>(std::unexpected(begun.error()));
  const std::string inside = std::string(folder) + '/';
  impl_->track(folders_above(impl_->key_of(place, folder.empty() ? "" : inside)).back(), place);
  if (impl_->fetched_folder.page &&
      impl_->fetched_folder.question == question_of(place, folder, text_of(after), max)) {
    return std::exchange(impl_->fetched_folder.page, std::nullopt);
  }
  auto walk = impl_->walk(place, Reach::memory);
  auto page = folder_page(walk, std::string(folder), after, max);
  if (page && !*page) impl_->failure = page->error();
  return page;
}

async::Task<void> Transaction::fetch_list(Place place, std::string folder,
                                          std::optional<FolderEntry> after, std::size_t max) {
  if (!impl_->begin()) co_return;
  const auto walk = std::make_shared<MergedWalk>(impl_->walk(place, Reach::disk));
  const auto page = std::make_shared<Peek<FolderPage>>();
  ++impl_->store.disk_reads;
  co_await impl_->store.io->run(impl_->shard.shard(), [walk, folder, after, max, page] {
    *page = folder_page(*walk, folder, after, max);
  });
  impl_->fetched_folder = {question_of(place, folder, text_of(after), max), std::move(*page)};
}

Peek<bool> Transaction::has_below(const Place& place, std::string_view folder) {
  auto page = list(place, folder, std::nullopt, 1);
  if (!page) return {};
  if (!*page) return Result<bool>(std::unexpected(page->error()));
  return Result<bool>(!(*page)->entries.empty());
}

Peek<NamePage> Transaction::scan(const Place& place, std::string_view prefix,
                                 std::string_view after, std::size_t max) {
  if (auto begun = impl_->begin(); !begun) return Result<NamePage>(std::unexpected(begun.error()));
  impl_->track(hash_of_store(impl_->key_of(place, {})), place);
  if (impl_->fetched_names.page &&
      impl_->fetched_names.question == question_of(place, prefix, after, max)) {
    return std::exchange(impl_->fetched_names.page, std::nullopt);
  }
  auto walk = impl_->walk(place, Reach::memory);
  auto page = name_page(walk, std::string(prefix), std::string(after), max);
  if (page && !*page) impl_->failure = page->error();
  return page;
}

async::Task<void> Transaction::fetch_scan(Place place, std::string prefix, std::string after,
                                          std::size_t max) {
  if (!impl_->begin()) co_return;
  const auto walk = std::make_shared<MergedWalk>(impl_->walk(place, Reach::disk));
  const auto page = std::make_shared<Peek<NamePage>>();
  ++impl_->store.disk_reads;
  co_await impl_->store.io->run(impl_->shard.shard(), [walk, prefix, after, max, page] {
    *page = name_page(*walk, prefix, after, max);
  });
  impl_->fetched_names = {question_of(place, prefix, after, max), std::move(*page)};
}

Result<void> Transaction::put(const Place& place, std::string_view name, Record record) {
  CARREL_TRY(Own* const own, impl_->change(place, name));
  CARREL_TRY_VOID(impl_->room(static_cast<std::int64_t>(record.bytes.size()) -
                              static_cast<std::int64_t>(own->record.bytes.size())));
  own->there = true;
  own->record = std::move(record);
  return {};
}

Result<void> Transaction::erase(const Place& place, std::string_view name) {
  CARREL_TRY(Own* const own, impl_->change(place, name));
  CARREL_TRY_VOID(impl_->room(-static_cast<std::int64_t>(own->record.bytes.size())));
  own->there = false;
  own->record = {};
  return impl_->weigh(*own, 0);
}

Result<Record*> Transaction::edit(const Place& place, std::string_view name) {
  CARREL_TRY_VOID(impl_->begin());
  const std::string key = encode(impl_->key_of(place, name));
  const bool fresh = !impl_->own.contains(key);
  CARREL_TRY(Own* const own, impl_->change(place, name));
  if (fresh) {
    const ReadRecord* read = impl_->find_kept(key);
    if (read == nullptr) {  // its `get` was long ago
      auto stored = impl_->snapshot->view->get(key, Reach::disk);
      read = &impl_->keep(place, name, key, std::move(*stored));
    }
    if (!read->record) return std::unexpected(read->record.error());
    if (*read->record && ((*read->record)->expires == 0 || (*read->record)->expires > impl_->now)) {
      CARREL_TRY_VOID(impl_->room(static_cast<std::int64_t>((*read->record)->bytes.size())));
      own->record = **read->record;
    }
  }
  own->there = true;
  return &own->record;
}

Result<void> Transaction::grow(const Place&, std::string_view, std::int64_t more) {
  return impl_->room(more);
}

Result<void> Transaction::set_weight(const Place& place, std::string_view name,
                                     std::uint64_t weight) {
  CARREL_TRY(Own* const own, impl_->change(place, name));
  return impl_->weigh(*own, weight);
}

Result<void> Transaction::add(std::string_view store, std::string_view name, std::int64_t delta,
                              std::optional<std::int64_t> floor) {
  CARREL_TRY_VOID(impl_->begin());
  const Place place{.kind = Kind::counter, .store = std::string(store)};
  const std::string key = encode(impl_->key_of(place, name));
  auto found = impl_->sums.find(key);
  if (found == impl_->sums.end()) {
    if (impl_->own.size() + impl_->sums.size() >= impl_->limits.effects) {
      return fail(Code::effects_limit, "a turn changed too many names");
    }
    CARREL_TRY_VOID(impl_->room(static_cast<std::int64_t>(name.size() + 8)));
    found = impl_->sums.emplace(key, Sum{place.store, std::string(name), 0, {}}).first;
  }
  Sum& sum = found->second;
  std::int64_t total = 0;
  if (__builtin_add_overflow(sum.delta, delta, &total)) {
    return fail(Code::invalid_argument, "the sum of what is added does not fit 64 bits");
  }
  sum.delta = total;
  if (floor) sum.floor = std::max(*floor, sum.floor.value_or(*floor));
  return {};
}

const std::optional<Error>& Transaction::failure() const { return impl_->failure; }

bool Transaction::changes_anything() const { return !impl_->own.empty() || !impl_->sums.empty(); }
bool Transaction::has_read() const { return impl_->snapshot != nullptr || impl_->expired; }
Version Transaction::seen() const { return impl_->seen; }

Changes Transaction::changes() const {
  Changes out;
  out.tenant = impl_->tenant;
  out.quota = impl_->limits.quota;
  out.sync = impl_->limits.sync;
  if (impl_->snapshot) out.snapshot = impl_->snapshot->version;
  out.holder = impl_->tickets.holder();
  if (impl_->many_reads) {
    out.reads.assign(impl_->read_stores.begin(), impl_->read_stores.end());
  } else {
    out.reads = impl_->reads;
  }
  out.bytes = 8 * out.reads.size();
  for (const auto& [key, own] : impl_->own) {
    const Key k = impl_->key_of(own.place, own.name);
    Change change{.key = key,
                  .kind = own.place.kind,
                  .hash = hash_of(key),
                  .folders = folders_above(k),
                  .store = hash_of_store(k),
                  .before = own.before};
    if (own.there) {
      change.record = encode(own.record);
      change.charge = charge_of(own.place.kind, own.name, {own.record.bytes, own.record.expires});
      change.expires = own.record.expires;
    }
    out.bytes += 128 + key.size() + (change.record ? change.record->size() : 0);
    out.changes.push_back(std::move(change));
  }
  for (const auto& [key, sum] : impl_->sums) {
    const Key k{impl_->tenant.str(), Kind::counter, sum.store, sum.name};
    out.additions.push_back({.key = key,
                             .hash = hash_of(key),
                             .folders = folders_above(k),
                             .store = hash_of_store(k),
                             .name_bytes = sum.name.size(),
                             .delta = sum.delta,
                             .floor = sum.floor});
    out.bytes += 128 + key.size();
  }
  return out;
}

async::Task<Result<Version>> Transaction::commit() {
  if (impl_->expired) co_return std::unexpected(expired_error());
  if (!changes_anything()) {
    impl_->tickets.give_back();
    co_return impl_->seen;
  }
  Store::Impl& store = impl_->store;
  while (store.committer->queued_bytes() > store.options.queue_bytes) {
    co_await impl_->shard.shard().sleep_for(std::chrono::milliseconds(1));
  }
  auto request = std::make_shared<Request>(changes(), impl_->local.mailbox);
  co_await Decision(*store.committer, request);
  Verdict& verdict = request->verdict;
  impl_->local.holders.erase(impl_.get());
  impl_->snapshot.reset();
  if (verdict.refused) {
    impl_->lost.insert(impl_->lost.end(), verdict.lost.begin(), verdict.lost.end());
    co_return std::unexpected(std::move(*verdict.refused));
  }
  if (impl_->limits.sync == Sync::interval) co_return kNoVersion;
  impl_->seen = std::max(impl_->seen, verdict.version);
  co_return verdict.version;
}

async::Task<void> Transaction::restart() {
  impl_->forget();
  impl_->failure.reset();
  impl_->seen = kNoVersion;
  ++impl_->store.reruns;
  co_await impl_->tickets.take(impl_->lost);
}

}  // namespace carrel::store
