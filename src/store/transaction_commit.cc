// A turn's commit: what it asks of the committer, the wait for the verdict, and the next attempt.
#include <algorithm>

#include "store/transaction_impl.h"

namespace carrel::store {
namespace {

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
  async::Shard::Soon soon;
  Decision(Committer& c, std::shared_ptr<Request> r, async::Shard& shard)
      : committer(c), request(std::move(r)), soon(shard) {}
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

}  // namespace

Changes Transaction::changes() const {
  Changes out;
  out.tenant = impl_->tenant;
  out.quota = impl_->limits.quota;
  out.sync = impl_->limits.sync;
  if (impl_->snapshot) out.snapshot = impl_->snapshot->version;
  out.holder = impl_->tickets.holder();
  if (impl_->many_reads) {
    for (const Place& place : impl_->read_places) {
      out.reads.push_back(hash_of_store(impl_->key_of(place, {})));
    }
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

// What the turn wrote is likely to be read next.
void Transaction::Impl::keep_written(const std::vector<Change>& changes, Version version) {
  auto change = changes.begin();
  for (const auto& [key, mine] : own) {
    const std::uint64_t hash = change++->hash;
    // What was added on top, only the committer knows.
    if (!RecordCache::takes(mine.record.bytes.size()) || sums.contains(key)) continue;
    std::optional<Record> record;
    if (mine.there) record = mine.record;
    const Before after = before_of(mine.place.kind, mine.name, view_of(record));
    store.records->keep(hash, version, std::make_shared<ReadRecord>(key, std::move(record), after));
  }
}

async::Task<Result<Version>> Transaction::commit() {
  if (impl_->expired) co_return std::unexpected(Impl::expired_error());
  if (!changes_anything()) {
    impl_->tickets.give_back();
    co_return impl_->seen;
  }
  Store::Impl& store = impl_->store;
  if (store.committer->queued_bytes() > store.options.queue_bytes) ++store.held_back;
  while (store.committer->queued_bytes() > store.options.queue_bytes) {
    co_await impl_->shard.shard().sleep_for(std::chrono::milliseconds(1));
  }
  auto request = std::make_shared<Request>(changes(), impl_->local.mailbox);
  co_await Decision(*store.committer, request, impl_->shard.shard());
  Verdict& verdict = request->verdict;
  impl_->unlink();
  impl_->snapshot.reset();
  if (verdict.refused) {
    impl_->lost.insert(impl_->lost.end(), verdict.lost.begin(), verdict.lost.end());
    co_return std::unexpected(std::move(*verdict.refused));
  }
  if (verdict.newest) impl_->keep_written(request->changes.changes, verdict.version);
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
