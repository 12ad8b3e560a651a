// What tenants may store with all that is below them: "acme" is bounded with "acme/a" and "acme/b".
//
// Exact: the committer counts every accepted turn before it decides on the next. A turn that stores
// less than before is never refused, so that who is over a new quota can get below it. A tenant and
// those above it are found once, with its account: a commit then only walks up and adds.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "store/database.h"

namespace carrel::store {

inline constexpr std::uint64_t kNoQuota = UINT64_MAX;

// Owner: SubtreeQuotas; stays while it does. Changed by the committer, `quota` and `fresh` by
// anybody; read by all.
struct Subtree {
  std::string tenant;        // its highest
  Subtree* above = nullptr;  // null: nothing is
  std::atomic<std::int64_t> bytes = 0;
  std::atomic<std::int64_t> fresh = 0;  // beside them: parts not used yet (fresh_parts.h)
  std::atomic<std::uint64_t> quota = kNoQuota;
};

// The first, from `tenant` upward, in which `more` bytes are too many; null: in none.
const Subtree* without_room(const Subtree& tenant, std::int64_t more);
// The same for parts that are to be written, with those that are fresh.
const Subtree* without_room_for_parts(const Subtree& tenant, std::int64_t more);
// What to tell of it.
std::string used_up(const Subtree& full);
void count(Subtree& tenant, std::int64_t bytes);
void count_fresh(Subtree& tenant, std::int64_t bytes);

// Owner: the UsageTable. Thread-safe; `load` before there is a committer.
class SubtreeQuotas {
 public:
  // Made if there is none.
  Subtree& of(std::string_view tenant);
  // Nothing: no bound here.
  void limit(std::string_view tenant, std::optional<std::uint64_t> bytes);
  // What the accounts in the database add up to, in place of what was counted.
  void load(const std::shared_ptr<const DatabaseView>& view);

 private:
  Subtree& find_or_make(std::string_view tenant);  // under `mutex_`

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Subtree>, std::less<>> all_;
};

}  // namespace carrel::store
