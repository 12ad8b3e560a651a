#include "store/part_sweeper.h"

#include <algorithm>
#include <future>
#include <memory>

#include "store/part_ledger.h"
#include "store/record.h"

namespace carrel::store {
namespace {

constexpr std::uint64_t kKept = 60'000;  // milliseconds since the last use
constexpr std::chrono::hours kLeft{1};   // since a file was written
constexpr std::chrono::hours kBetweenWalks{1};

struct Forgetting final : CommitRequest {
  using CommitRequest::CommitRequest;
  void decided(Verdict verdict) override { done.set_value(std::move(verdict)); }
  std::promise<Verdict> done;
};

}  // namespace

Result<SweptParts> PartSweeper::step(Committer& committer, const Snapshot& state, Version durable,
                                     WallTime now) {
  SweptParts swept;
  if (!condemned_.empty()) {
    if (std::min(state.version, durable) < forgotten_) return swept;
    swept.unused = remove_condemned(state);
  }
  auto found = find_garbage(state, now);
  if (found) {
    auto unfinished = find_unrecorded(state, now);
    if (unfinished) {
      swept.unfinished = *unfinished;
    } else {
      files_.reset();
      found = std::unexpected(std::move(unfinished).error());
    }
  }
  forget(committer, state);
  if (!found) return std::unexpected(std::move(found).error());
  return swept;
}

Result<void> PartSweeper::find_garbage(const Snapshot& state, WallTime now) {
  garbage_.clear();
  const auto until = milliseconds(now) - std::min(milliseconds(now), kKept);
  return unused_.step(state, until, [&](const Key& entry, std::uint64_t) {
    const auto part = unused_part(entry);
    if (!part) return true;
    if (garbage_.size() == kMostParts) return false;
    garbage_.push_back(encode(entry));
    condemn({TenantName(std::string(part->tenant)), part->hash});
    return true;
  });
}

Result<std::uint64_t> PartSweeper::find_unrecorded(const Snapshot& state, WallTime now) {
  if (!files_) {
    if (now < next_walk_) return 0;
    files_.emplace(parts_.folder());
  }
  std::uint64_t unfinished = 0;
  for (std::size_t looked = 0; looked < kMostFiles; ++looked) {
    CARREL_TRY(const auto file, files_->next());
    if (!file) {
      files_.reset();
      next_walk_ = now + kBetweenWalks;
      break;
    }
    if (now - file->written < kLeft) continue;
    if (file->name.form == PartName::Form::being_written) {
      CARREL_TRY(const bool removed,
                 parts_.remove_unfinished(file->tenant, file->name.hash, file->path));
      unfinished += removed ? 1 : 0;
      continue;
    }
    CARREL_TRY(const bool recorded, is_recorded(state, file->tenant, file->name.hash));
    if (!recorded) condemn({file->tenant, file->name.hash});
  }
  return unfinished;
}

void PartSweeper::condemn(Part part) {
  if (parts_.condemn(part.first, part.second)) condemned_.push_back(std::move(part));
}

void PartSweeper::forget(Committer& committer, const Snapshot& state) {
  if (garbage_.empty() && condemned_.empty()) return;
  Changes changes;
  changes.sync = Sync::interval;
  changes.snapshot = state.version;
  for (const auto& key : garbage_) changes.bytes += 128 + key.size();
  changes.garbage = std::move(garbage_);
  const auto request = std::make_shared<Forgetting>(std::move(changes));
  auto decided = request->done.get_future();
  committer.submit(request);
  const Verdict verdict = decided.get();
  if (verdict.refused) spare_all();
  forgotten_ = verdict.version;
}

std::uint64_t PartSweeper::remove_condemned(const Snapshot& state) {
  std::uint64_t removed = 0;
  for (const auto& [tenant, hash] : condemned_) {
    const auto recorded = is_recorded(state, tenant, hash);
    if (!recorded || *recorded) continue;
    const auto done = parts_.remove(tenant, hash);
    if (done && *done) ++removed;
  }
  spare_all();  // what could not be removed is found again
  return removed;
}

void PartSweeper::spare_all() {
  for (const auto& [tenant, hash] : condemned_) parts_.spare(tenant, hash);
  condemned_.clear();
}

}  // namespace carrel::store
