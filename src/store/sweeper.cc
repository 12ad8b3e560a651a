#include "store/sweeper.h"

#include <condition_variable>
#include <memory>
#include <mutex>

#include "store/record.h"

namespace carrel::store {
namespace {

constexpr std::size_t kTimeBytes = 8;

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

// The name in the list of times: time (8 bytes), kind, size of store, store, name.
std::optional<std::uint64_t> time_of(const Key& entry) {
  const auto time = decode_count(entry.name.substr(0, kTimeBytes));
  if (!time) return {};
  return static_cast<std::uint64_t>(*time);
}
std::optional<Key> record_of(const Key& entry) {
  const std::string_view rest = entry.name.substr(kTimeBytes);
  if (rest.size() < 2) return {};
  const auto store = static_cast<std::uint8_t>(rest[1]);
  if (rest.size() < 2U + store) return {};
  return Key{.tenant = entry.tenant,
             .kind = static_cast<Kind>(rest[0]),
             .store = rest.substr(2, store),
             .name = rest.substr(2U + store)};
}

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

// A damaged entry is left to `check`; it is in nobody's way.
Result<std::vector<Changes>> Sweeper::find(const Snapshot& snapshot, std::uint64_t now) {
  using State = Cursor::State;
  std::vector<Changes> found;
  Cursor cursor(snapshot.view, "", Reach::disk);
  std::size_t tenants = 0;
  State state = cursor.seek(from_);
  while (state == State::valid) {
    const auto first = decode(cursor.key());
    if (!first) {
      state = cursor.next();
      continue;
    }
    const std::string tenant(first->tenant);
    from_ = prefix_of(tenant);
    if (++tenants > kMostTenants) return found;
    const std::string times = prefix_of(tenant, Kind::expiry);
    for (state = cursor.seek(times); state == State::valid && cursor.key().starts_with(times);
         state = cursor.next()) {
      const auto entry = decode(cursor.key());
      const auto time = entry ? time_of(*entry) : std::nullopt;
      if (!time) continue;
      if (*time > now) break;
      const auto record = record_of(*entry);
      if (!record) continue;
      if (found.size() == kMostRecords) return found;
      auto stored = snapshot.view->get(encode(*record), Reach::disk);
      if (!stored || !*stored || !**stored) continue;
      const auto held = view_record(***stored);
      if (held && held->expires == *time) found.push_back(removal(snapshot, *record));
    }
    if (state == State::failed) break;
    from_ = end_of(prefix_of(tenant));
    state = from_.empty() ? State::end : cursor.seek(from_);
  }
  from_.clear();
  if (state == State::failed) return std::unexpected(cursor.error());
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
