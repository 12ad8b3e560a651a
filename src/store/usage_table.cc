#include "store/usage_table.h"

#include "store/parts.h"

namespace carrel::store {

std::uint64_t charge_of(Kind kind, std::string_view name, const RecordView& record) {
  std::uint64_t charge = name.size() + record.bytes.size();
  if (kind == Kind::blob) {
    if (const auto manifest = decode_manifest(record.bytes)) charge += manifest->size;
  }
  return charge;
}

Before before_of(Kind kind, std::string_view name, const std::optional<RecordView>& record) {
  if (!record) return {.known = true};
  return {.known = true,
          .existed = true,
          .charge = charge_of(kind, name, *record),
          .expires = record->expires};
}

std::string usage_key(const TenantName& tenant) {
  return encode(Key{.tenant = tenant.str(), .kind = Kind::usage, .store = {}, .name = {}});
}

std::string encode_usage(std::int64_t bytes, std::int64_t names) {
  return encode_count(bytes) + encode_count(names);
}

bool decode_usage(std::string_view bytes, Account& into) {
  if (bytes.size() != 16) return false;
  into.bytes = *decode_count(bytes.substr(0, 8));
  into.names = *decode_count(bytes.substr(8));
  return true;
}

std::shared_ptr<const Account> UsageTable::find(const TenantName& tenant) const {
  const std::lock_guard lock(mutex_);
  const auto found = accounts_.find(tenant);
  return found == accounts_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<Account>> UsageTable::load(const TenantName& tenant, Database& database) {
  std::uint64_t cleared = 0;
  {
    const std::lock_guard lock(mutex_);
    cleared = cleared_;
    if (const auto found = accounts_.find(tenant); found != accounts_.end()) return found->second;
  }
  auto account = std::make_shared<Account>();
  account->subtree = &subtrees_.of(tenant.str());
  CARREL_TRY(const auto record, database.get(usage_key(tenant)));
  if (record && !decode_usage(*record, *account)) {
    return fail(Code::data_corrupt, "a tenant's account is damaged");
  }
  const std::lock_guard lock(mutex_);
  if (cleared != cleared_) return account;  // of what was open before
  return accounts_.emplace(tenant, std::move(account)).first->second;
}

void UsageTable::clear() {
  const std::lock_guard lock(mutex_);
  accounts_.clear();
  ++cleared_;
}

}  // namespace carrel::store
