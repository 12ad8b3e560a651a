#include "store/fresh_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/tenant_root.h"

namespace carrel::store {
namespace {

// Looked up at any time; more of them, once a second.
constexpr std::size_t kFew = 256;

}  // namespace

Result<void> FreshParts::check(const Root& root, const Subtree& tenant, std::int64_t bytes) const {
  if (root.parts.size() >= kMost) {
    return fail(
        Code::quota_exceeded,
        fmt::format("{} parts were uploaded that nothing uses yet; make a version or a blob "
                    "of them first, or wait until they are removed after an hour",
                    kMost));
  }
  const Subtree* const full = without_room_for_parts(tenant, bytes);
  if (full == nullptr) return {};
  return fail(Code::quota_exceeded, used_up(*full));
}

Result<void> FreshParts::add(const TenantName& tenant, const PartHash& hash, std::size_t size) {
  const WallTime now = clock_.wall();
  const auto bytes = static_cast<std::int64_t>(std::max<std::uint64_t>(size, kLeast));
  const std::lock_guard lock(mutex_);
  Root& root = roots_[std::string(root_of(tenant.str()))];
  if (const auto known = root.parts.find({tenant, hash}); known != root.parts.end()) {
    known->second.written = now;
    return {};
  }
  Subtree& subtree = quotas_.of(tenant.str());
  auto room = check(root, subtree, bytes);
  if (!room && (root.parts.size() <= kFew || now - root.looked >= std::chrono::seconds(1))) {
    forget_used(root, now);
    room = check(root, subtree, bytes);
  }
  if (!room) return room;
  root.parts.emplace(std::pair(tenant, hash), Part{.bytes = bytes, .written = now});
  count_fresh(subtree, bytes);
  return {};
}

void FreshParts::drop(const TenantName& tenant, const PartHash& hash) {
  const std::lock_guard lock(mutex_);
  const auto root = roots_.find(root_of(tenant.str()));
  if (root == roots_.end()) return;
  const auto part = root->second.parts.find({tenant, hash});
  if (part != root->second.parts.end()) remove(root->second, part);
}

void FreshParts::forget_used(Root& root, WallTime now) {
  root.looked = now;
  for (auto at = root.parts.begin(); at != root.parts.end();) {
    const auto& [tenant, hash] = at->first;
    const bool gone = now - at->second.written > kKept;
    at = gone || is_used_(tenant, hash) ? remove(root, at) : std::next(at);
  }
}

FreshParts::Parts::iterator FreshParts::remove(Root& root, Parts::iterator part) {
  count_fresh(quotas_.of(part->first.first.str()), -part->second.bytes);
  return root.parts.erase(part);
}

}  // namespace carrel::store
