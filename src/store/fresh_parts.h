// Fresh parts: those that were written of late and that no record may use yet.
//
// They count against the quotas of their tenants, beside what is stored, until a record uses them
// or they are removed: who uploads and never commits gains no room by it. Which have come into use
// is looked up only when room is short, so that a commit does nothing for it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "store/parts.h"
#include "store/subtree_quotas.h"

namespace carrel::store {

// Owner: the Store. Thread-safe; `add` may read the disk: call it on the I/O pool.
class FreshParts {
 public:
  static constexpr std::uint64_t kLeast = 4096;  // bytes that a part takes, however small it is
  static constexpr std::size_t kMost = 8192;     // of a tenant with all below it
  static constexpr std::chrono::hours kKept{2};  // then the sweeper has removed it (part_sweeper.h)

  using IsUsed = std::function<bool(const TenantName&, const PartHash&)>;
  FreshParts(SubtreeQuotas& quotas, const Clock& clock, IsUsed is_used)
      : quotas_(quotas), clock_(clock), is_used_(std::move(is_used)) {}

  // Before a part is written. Errors: quota_exceeded.
  Result<void> add(const TenantName& tenant, const PartHash& hash, std::size_t size);
  // It could not be written.
  void drop(const TenantName& tenant, const PartHash& hash);

 private:
  struct Part {
    std::int64_t bytes;
    WallTime written;
  };
  using Parts = std::map<std::pair<TenantName, PartHash>, Part>;
  struct Root {
    Parts parts;
    WallTime looked;
  };
  using Roots = std::map<std::string, Root, std::less<>>;
  Result<void> check(const Root& root, const Subtree& tenant, std::int64_t bytes) const;
  void forget_used(Root& root, WallTime now);
  Parts::iterator remove(Root& root, Parts::iterator part);

  SubtreeQuotas& quotas_;
  const Clock& clock_;
  const IsUsed is_used_;
  std::mutex mutex_;
  Roots roots_;
};

}  // namespace carrel::store
