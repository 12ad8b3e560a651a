#include "store/subtree_quotas.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/key.h"
#include "store/usage_table.h"

namespace carrel::store {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

// "acme/a" of "acme/a/b"; "": nothing is above.
std::string_view above(std::string_view tenant) {
  const auto slash = tenant.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : tenant.substr(0, slash);
}

}  // namespace

const Subtree* without_room(const Subtree& tenant, std::int64_t more) {
  if (more <= 0) return nullptr;
  for (const Subtree* each = &tenant; each != nullptr; each = each->above) {
    const std::int64_t after = std::max<std::int64_t>(each->bytes.load(kRelaxed), 0) + more;
    if (static_cast<std::uint64_t>(after) > each->quota.load(kRelaxed)) return each;
  }
  return nullptr;
}

const Subtree* without_room_for_parts(const Subtree& tenant, std::int64_t more) {
  for (const Subtree* each = &tenant; each != nullptr; each = each->above) {
    const std::int64_t after =
        std::max<std::int64_t>(each->bytes.load(kRelaxed), 0) + each->fresh.load(kRelaxed) + more;
    if (static_cast<std::uint64_t>(after) > each->quota.load(kRelaxed)) return each;
  }
  return nullptr;
}

std::string used_up(const Subtree& full) {
  return fmt::format("the storage quota of the tenant {}, {} bytes with all below it, is used up",
                     full.tenant, full.quota.load(kRelaxed));
}

void count(Subtree& tenant, std::int64_t bytes) {
  for (Subtree* each = &tenant; each != nullptr; each = each->above)
    each->bytes.fetch_add(bytes, kRelaxed);
}

void count_fresh(Subtree& tenant, std::int64_t bytes) {
  for (Subtree* each = &tenant; each != nullptr; each = each->above)
    each->fresh.fetch_add(bytes, kRelaxed);
}

Subtree& SubtreeQuotas::find_or_make(std::string_view tenant) {
  if (const auto found = all_.find(tenant); found != all_.end()) return *found->second;
  auto made = std::make_unique<Subtree>();
  made->tenant = tenant;
  if (const auto parent = above(tenant); !parent.empty()) made->above = &find_or_make(parent);
  return *all_.emplace(std::string(tenant), std::move(made)).first->second;
}

Subtree& SubtreeQuotas::of(std::string_view tenant) {
  const std::lock_guard lock(mutex_);
  return find_or_make(tenant);
}

void SubtreeQuotas::limit(std::string_view tenant, std::optional<std::uint64_t> bytes) {
  of(tenant).quota.store(bytes.value_or(kNoQuota), kRelaxed);
}

// From one tenant's account to the next, past all that each of them keeps.
void SubtreeQuotas::load(const std::shared_ptr<const DatabaseView>& view) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, each] : all_) each->bytes = 0;
  }
  Cursor cursor(view, "", Reach::disk);
  auto state = cursor.seek("");
  while (state == Cursor::State::valid) {
    const auto key = decode(cursor.key());
    if (!key) {
      state = cursor.next();
      continue;
    }
    const std::string tenant(key->tenant);
    const std::string account = usage_key(TenantName(tenant));
    if (cursor.seek(account) == Cursor::State::valid && cursor.key() == account) {
      Account read;
      if (decode_usage(cursor.value(), read)) count(of(tenant), read.bytes);
    }
    state = cursor.seek(end_of(prefix_of(tenant)));
  }
}

}  // namespace carrel::store
