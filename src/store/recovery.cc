// Recovery: opens the store again after a failed write or sync.
//
// What the database holds in memory may differ from the disk then. So when the folder takes writes
// again, it is closed and opened anew: that replays what is on the disk, which is all that was
// reported durable and perhaps some of what was not. Until it is closed, reads go on from the last
// durable state; from then until it is open, they are refused.
#include "store/store_impl.h"

namespace carrel::store {

void Store::Impl::run_recovery() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return stopping || failure; });
    changed.wait_for(lock, options.retry_after, [this] { return stopping; });
    if (stopping) return;
    lock.unlock();
    const auto probed = Database::probe(database_options());
    if (probed) reopen();
    lock.lock();
    if (!probed) failure = probed.error();
  }
}

// False: stopping.
bool Store::Impl::close_database() {
  std::shared_ptr<const Snapshot> last;  // destroyed without the lock
  std::unique_lock lock(mutex);
  reopening = true;
  last.swap(newest);
  lock.unlock();
  last.reset();
  // Turns and reads on their way hold views; the sweep takes them from turns that take too long.
  lock.lock();
  while (database && database.use_count() > 1) {
    if (changed.wait_for(lock, std::chrono::milliseconds(1), [this] { return stopping; })) {
      return false;
    }
  }
  const auto closed = std::exchange(database, nullptr);
  lock.unlock();
  return true;
}

void Store::Impl::reopen() {
  const auto last = static_cast<std::uint64_t>(committer->let_go());
  if (!close_database()) return;
  usage.clear();
  auto opened = Database::open(database_options());
  if (!opened) {
    const std::lock_guard lock(mutex);
    failure = opened.error();
    reopening = false;
    return;
  }
  const Version first{last + 1};
  {
    const std::lock_guard lock(mutex);
    database = *opened;
    newest = std::make_shared<const Snapshot>(
        Snapshot{.version = first, .opened = first, .view = database->view()});
    failure.reset();
    reopening = false;
  }
  tell(Hearers::all, [first](DurabilityListener& listener) { listener.on_reopened(first); });
  // Nobody hears that this is durable before that what came between may be lost.
  durable = static_cast<std::uint64_t>(first);
  feed.tell_gap();  // what was not reported durable may be there or not
  committer->begin_again(*std::move(opened), first);
}

}  // namespace carrel::store
