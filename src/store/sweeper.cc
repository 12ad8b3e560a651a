#include "store/sweeper.h"

#include <condition_variable>
#include <memory>
#include <mutex>

#include "store/expiry_index.h"
#include "store/record.h"

namespace carrel::store {
namespace {

// What the commits of one step have in common.
struct Step {
  std::mutex mutex;
  std::condition_variable all;
  std::size_t left = 0, removed = 0;
};

struct Removal final : CommitRequest {
  Removal(Changes what, std::shared_ptr<Step> of)
      : CommitRequest(std::move(what)), step(std::move(of)) {}
  void decided(Verdict verdict) override {
    const std::lock_guard lock(step->mutex);
    if (!verdict.refused) ++step->removed;
    if (--step->left == 0) step->all.notify_one();
  }
  std::shared_ptr<Step> step;
};

Changes removal(const Snapshot& snapshot, const Key& record) {
  Changes changes;
  changes.tenant = TenantName(std::string(record.tenant));
  changes.sync = Sync::interval;
  changes.snapshot = snapshot.version;
  changes.changes.push_back({.key = encode(record),
                             .kind = record.kind,
                             .hash = hash_of_name(record),
                             .folders = folders_above(record),
                             .store = hash_of_store(record),
                             .record = std::nullopt,
                             .before = {}});
  changes.reads = {changes.changes.back().hash};
  changes.bytes = 128 + changes.changes.back().key.size();
  return changes;
}

}  // namespace

Result<std::vector<Changes>> Sweeper::find(const Snapshot& snapshot, std::uint64_t now) {
  std::vector<Changes> found;
  CARREL_TRY_VOID(expiries_.step(snapshot, now, [&](const Key& entry, std::uint64_t time) {
    const auto record = expiring_record(entry);
    if (!record) return true;
    if (found.size() == kMostRecords) return false;
    auto stored = snapshot.view->get(encode(*record), Reach::disk);
    if (!stored || !*stored || !**stored) return true;
    const auto held = view_record(***stored);
    if (held && held->expires == time) found.push_back(removal(snapshot, *record));
    return true;
  }));
  return found;
}

Result<std::size_t> Sweeper::step(Committer& committer, const Snapshot& snapshot, WallTime now) {
  CARREL_TRY(auto found, find(snapshot, milliseconds(now)));
  const auto step = std::make_shared<Step>();
  step->left = found.size();
  for (Changes& changes : found) {
    committer.submit(std::make_shared<Removal>(std::move(changes), step));
  }
  std::unique_lock lock(step->mutex);
  step->all.wait(lock, [&] { return step->left == 0; });
  return step->removed;
}

}  // namespace carrel::store
