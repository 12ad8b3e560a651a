#include "store/committer.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/look_out.h"
#include "store/feed.h"
#include "store/judge.h"

namespace carrel::store {

struct Committer::Impl {
  using Requests = std::vector<std::shared_ptr<CommitRequest>>;

  std::shared_ptr<Database> database;
  TicketTable& tickets;
  CommitObserver& observer;
  CommitterOptions options;
  UsageTable& usage;
  SlotTable slots;
  std::optional<Judge> judge;  // the committing thread's
  Version opened{};            // what the database held when it was opened
  Version last{};              // the highest that was given; the committing thread's

  mutable std::mutex mutex;
  std::condition_variable work, unsynced;
  Requests queue;
  CommitCounts counts;  // as of the last batch
  bool stopping = false, stopped_committing = false;
  std::optional<Error> failure;
  std::shared_ptr<const Snapshot> applied, durable;
  bool wanted = false;  // somebody waits for what is applied
  std::mutex syncing_now;
  observe::Durations sync_times;  // under `syncing_now`
  std::atomic<std::uint64_t> queued_bytes = 0;

  // The committing thread's: how many turns in a row came when all was durable and were durable
  // before the next one came. A caller on its own is served faster without the other thread; many
  // are not, as one hot key shows: the next turn wants to read what is applied, not what is synced.
  int lone = 0;
  bool syncing_itself = false;  // under `mutex`
  static constexpr int kLone = 4;

  // For the next turn: where many wait for one name, it comes as soon as the last one is applied; a
  // caller on its own asks again when it has been answered.
  LookOut look_out{std::chrono::microseconds(250)};  // the committing thread's

  std::thread committing, syncing;

  Impl(TicketTable& t, UsageTable& u, CommitObserver& o, CommitterOptions opts)
      : tickets(t), observer(o), options(std::move(opts)), usage(u) {
    if (!options.wall) options.wall = [] { return system_clock().wall(); };
  }

  void start(std::shared_ptr<Database> db, Version first) {
    database = std::move(db);
    judge.emplace(database, tickets, slots, usage, first, options.wall);
    opened = last = first;
    usage.subtrees().load(database->view());
    {
      const std::lock_guard lock(mutex);
      judge->counts() = counts;
      failure.reset();
      stopping = stopped_committing = wanted = false;
      applied = durable = std::make_shared<const Snapshot>(
          Snapshot{.version = first, .opened = first, .view = database->view()});
    }
    committing = std::thread([this] { run_commits(); });
    syncing = std::thread([this] { run_syncs(); });
  }

  static Error refusal(const Error& cause) {
    const Code code = cause.code() == Code::store_full ? Code::store_full : Code::store_failed;
    return Error(code, cause.message(), cause.help());
  }

  std::optional<Error> failed() const {
    const std::lock_guard lock(mutex);
    return failure;
  }

  void fail_all(const Error& cause) {
    std::shared_ptr<const Snapshot> last;
    {
      const std::lock_guard lock(mutex);
      if (failure) return;
      failure = cause;
      last = durable;
      applied = durable;
      unsynced.notify_all();
    }
    observer.on_failed(cause, std::move(last));
  }

  // Nothing: stop.
  Requests take() {
    look_out([this] { return queued_bytes.load(std::memory_order_relaxed) > 0; });
    const auto due = [this] { return stopping || !queue.empty(); };
    std::unique_lock lock(mutex);
    while (!work.wait_for(lock, options.interval, due)) {
      lock.unlock();
      mark_synced();
      lock.lock();
    }
    return std::exchange(queue, {});
  }

  void mark_synced() {
    const std::lock_guard one(syncing_now);
    if (failed() || database->is_marked()) return;
    if (const auto marked = database->mark_synced(); !marked) fail_all(marked.error());
  }

  static void refuse(CommitRequest& request, const Error& why) {
    request.decided({.refused = why});
  }

  void commit_batch(std::span<const std::shared_ptr<CommitRequest>> batch) {
    if (const auto cause = failed()) {
      for (const auto& request : batch) refuse(*request, refusal(*cause));
      return;
    }
    const Version version = last = Version{static_cast<std::uint64_t>(last) + 1};
    judge->begin(version);
    std::vector<Verdict> verdicts;
    verdicts.reserve(batch.size());
    bool wants = false, any = false, alone = false;
    for (const auto& request : batch) {
      verdicts.push_back(judge->decide(request->changes));
      if (verdicts.back().refused) continue;
      any = true;
      wants |= request->changes.sync == Sync::always;
    }
    if (any) {
      if (const auto written = database->write(judge->finish()); !written) {
        for (auto& verdict : verdicts) {
          if (!verdict.refused) verdict.refused = written.error();
        }
        ++judge->counts().failures;
        fail_all(written.error());
      } else {
        alone = publish(version, batch.size(), wants);
        if (options.feed != nullptr && options.feed->watched()) tell(version, batch, verdicts);
      }
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
      verdicts[i].newest = judge->stands(i);
      if (!verdicts[i].refused) tickets.give_back(batch[i]->changes.holder);
      batch[i]->decided(std::move(verdicts[i]));
    }
    // After the verdicts: who waits for a ticket reads what is applied, and its coming shows that
    // the caller is not on its own.
    if (alone) {
      sync_applied();
      const std::lock_guard lock(mutex);
      syncing_itself = false;
      if (!queue.empty()) lone = 0;
    }
  }

  void tell(Version version, std::span<const std::shared_ptr<CommitRequest>> batch,
            const std::vector<Verdict>& verdicts) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (!verdicts[i].refused) options.feed->tell(version, batch[i]->changes);
    }
  }

  // Whether the sync of what was published is this thread's.
  bool publish(Version version, std::size_t turns, bool wants) {
    ++judge->counts().batches;
    auto state = std::make_shared<const Snapshot>(
        Snapshot{.version = version, .opened = opened, .view = database->view()});
    bool alone = false;
    {
      const std::lock_guard lock(mutex);
      if (failure) return false;  // a sync failed meanwhile: reads stay with what is durable
      const bool one = turns == 1 && queue.empty() && applied->version == durable->version;
      lone = one && wants ? lone + 1 : 0;
      alone = syncing_itself = lone > kLone;
      applied = state;
      wanted |= wants && !alone;
      const auto syncs = counts.syncs;
      counts = judge->counts();
      counts.syncs = syncs;
    }
    observer.on_applied(std::move(state));
    if (!alone) unsynced.notify_one();
    return alone;
  }

  void run_commits() {
    for (Requests requests = take(); !requests.empty(); requests = take()) {
      std::size_t from = 0;
      while (from < requests.size()) {
        std::size_t to = from, bytes = 0;
        while (to < requests.size() && (to == from || bytes < options.batch_bytes)) {
          bytes += requests[to++]->changes.bytes;
        }
        commit_batch(std::span(requests).subspan(from, to - from));
        queued_bytes.fetch_sub(bytes, std::memory_order_relaxed);
        from = to;
      }
    }
    const std::lock_guard lock(mutex);
    stopped_committing = true;
    unsynced.notify_all();
  }

  // By either thread, one at a time.
  void sync_applied() {
    const std::lock_guard one(syncing_now);
    std::shared_ptr<const Snapshot> state;
    {
      const std::lock_guard lock(mutex);
      if (failure) return;
      wanted = false;
      if (applied->version == durable->version) return;
      state = applied;
    }
    const Instant began = std::chrono::steady_clock::now();
    if (const auto synced = database->sync(); !synced) {
      fail_all(synced.error());
      return;
    }
    sync_times.add(std::chrono::steady_clock::now() - began);
    {
      const std::lock_guard lock(mutex);
      if (failure) return;
      durable = state;
      ++counts.syncs;
    }
    observer.on_durable(state->version);
  }

  // Until the store stops or fails; what was committed before is synced.
  void run_syncs() {
    bool last = false;
    while (!last) {
      {
        std::unique_lock lock(mutex);
        unsynced.wait_for(lock, options.interval,
                          [this] { return wanted || stopped_committing || failure; });
        if (failure) return;
        last = stopped_committing;
      }
      sync_applied();
    }
  }
};

Committer::Committer(std::shared_ptr<Database> database, TicketTable& tickets, UsageTable& usage,
                     CommitObserver& observer, Version first, CommitterOptions options)
    : impl_(std::make_unique<Impl>(tickets, usage, observer, std::move(options))) {
  impl_->start(std::move(database), first);
}

Committer::~Committer() { stop(); }

void Committer::submit(const std::shared_ptr<CommitRequest>& request) {
  std::optional<Error> refused;
  impl_->queued_bytes.fetch_add(request->changes.bytes, std::memory_order_relaxed);
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->failure) {
      refused = Impl::refusal(*impl_->failure);
    } else if (impl_->stopping) {
      refused = Error(Code::shutting_down, "the store has stopped");
    } else {
      impl_->queue.push_back(request);
      if (impl_->queue.size() > 1) return;  // it has been woken already
    }
  }
  if (refused) {
    impl_->queued_bytes.fetch_sub(request->changes.bytes, std::memory_order_relaxed);
    Impl::refuse(*request, *refused);
    return;
  }
  impl_->work.notify_one();
}

void Committer::want_durable() {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->syncing_itself) return;
    impl_->wanted = true;
  }
  impl_->unsynced.notify_one();
}

void Committer::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->work.notify_one();
  if (impl_->committing.joinable()) impl_->committing.join();
  if (!impl_->syncing.joinable()) return;
  impl_->syncing.join();
  impl_->mark_synced();
}

Version Committer::let_go() {
  stop();
  impl_->judge.reset();
  impl_->database.reset();
  const std::lock_guard lock(impl_->mutex);
  impl_->applied.reset();
  impl_->durable.reset();
  return impl_->last;
}

void Committer::begin_again(std::shared_ptr<Database> database, Version first) {
  impl_->start(std::move(database), first);
}

const SlotTable& Committer::slots() const { return impl_->slots; }

CommitCounts Committer::counts() const {
  const std::lock_guard lock(impl_->mutex);
  CommitCounts counts = impl_->counts;
  counts.queued_bytes = impl_->queued_bytes.load(std::memory_order_relaxed);
  return counts;
}

observe::DurationCounts Committer::sync_times() const { return impl_->sync_times.counts(); }

std::size_t Committer::queued_bytes() const {
  return impl_->queued_bytes.load(std::memory_order_relaxed);
}

}  // namespace carrel::store
