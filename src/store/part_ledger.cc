#include "store/part_ledger.h"

#include <algorithm>
#include <map>

#include "store/part_list.h"
#include "store/record.h"

namespace carrel::store {
namespace {

// A part's entry: its uses (8 bytes); with none, then the time in its garbage key (8 bytes).
constexpr std::size_t kCount = 8;

std::string_view name_of(const PartHash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

std::string garbage_key(std::string_view tenant, std::string_view time, const PartHash& hash) {
  std::string name(time);
  name += name_of(hash);
  return encode(Key{tenant, Kind::garbage, {}, name});
}

Result<void> add_uses(std::map<PartHash, std::int64_t>& uses,
                      std::optional<std::string_view> record, std::int64_t by, Kind kind) {
  if (!record) return {};
  const auto parts = parts_of(kind, *record);
  if (!parts) return fail(Code::data_corrupt, "a list of parts is damaged");
  for (const PartUse& part : *parts) uses[part.hash] += by;
  return {};
}

Result<void> account(const LedgerAccess& access, std::string_view tenant, const PartHash& hash,
                     std::int64_t by, WallTime now) {
  std::string key = part_key(tenant, hash);
  CARREL_TRY(auto entry, access.get(key));
  std::int64_t count = 0;
  if (entry) {
    auto decoded = decode_count(std::string_view(*entry).substr(0, kCount));
    if (!decoded || *decoded < 0 || entry->size() != (*decoded == 0 ? 2 * kCount : kCount)) {
      return fail(Code::data_corrupt, "the uses of a part are damaged");
    }
    count = *decoded;
    if (count == 0 && by > 0) {
      access.set(garbage_key(tenant, std::string_view(*entry).substr(kCount), hash), std::nullopt);
    }
  }
  if (__builtin_add_overflow(count, by, &count) || count < 0) {
    return fail(Code::data_corrupt, "a part is used less than never, or more than can be counted");
  }
  std::string value = encode_count(count);
  if (count == 0) {
    std::string time = encode_count(static_cast<std::int64_t>(milliseconds(now)));
    access.set(garbage_key(tenant, time, hash), std::string());
    value += time;
  }
  access.set(std::move(key), std::move(value));
  return {};
}

}  // namespace

std::string part_key(std::string_view tenant, const PartHash& hash) {
  return encode(Key{tenant, Kind::part, {}, name_of(hash)});
}

Result<bool> is_recorded(const Snapshot& state, const TenantName& tenant, const PartHash& hash) {
  auto entry = state.view->get(part_key(tenant.str(), hash), Reach::disk);
  if (!entry) return true;
  CARREL_TRY(const auto found, std::move(*entry));
  return found.has_value();
}

std::optional<UnusedPart> unused_part(const Key& garbage) {
  UnusedPart part{.tenant = garbage.tenant};
  if (garbage.kind != Kind::garbage || garbage.name.size() != kCount + part.hash.size()) return {};
  std::ranges::copy(garbage.name.substr(kCount), part.hash.begin());
  return part;
}

Result<void> forget_part(const LedgerAccess& access, std::string_view garbage) {
  const auto key = decode(garbage);
  const auto part = key ? unused_part(*key) : std::nullopt;
  if (!part) return fail(Code::data_corrupt, "the name of an unused part is damaged");
  std::string entry_key = part_key(part->tenant, part->hash);
  CARREL_TRY(const auto entry, access.get(entry_key));
  const std::string unused = encode_count(0) + std::string(key->name.substr(0, kCount));
  if (entry && *entry == unused) access.set(std::move(entry_key), std::nullopt);
  access.set(std::string(garbage), std::nullopt);
  return {};
}

Result<void> account_parts(const LedgerAccess& access, std::string_view tenant,
                           std::optional<std::string_view> before,
                           std::optional<std::string_view> after, WallTime now, Kind kind) {
  std::map<PartHash, std::int64_t> uses;
  CARREL_TRY_VOID(add_uses(uses, before, -1, kind));
  CARREL_TRY_VOID(add_uses(uses, after, 1, kind));
  for (const auto& [hash, by] : uses) {
    if (by != 0) CARREL_TRY_VOID(account(access, tenant, hash, by, now));
  }
  return {};
}

}  // namespace carrel::store
