#include "tenant/tenant.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "store/record.h"

namespace carrel::tenant {
namespace {

using async::Task;
using Json = nlohmann::json;

std::unexpected<Error> damaged() {
  return fail(Code::data_corrupt, "a tenant's record is damaged");
}

std::optional<WallTime> time_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_unsigned()) return {};
  return WallTime(std::chrono::milliseconds(found->get<std::uint64_t>()));
}

}  // namespace

Json to_json(const Tenant& tenant) {
  Json json = {{"created", store::milliseconds(tenant.created)},
               {"quotas", to_json(tenant.quotas)}};
  if (tenant.removed) json["removed"] = store::milliseconds(*tenant.removed);
  return json;
}

Result<Tenant> read_tenant(const TenantName& name, std::string_view record) {
  const Json json = Json::parse(record, nullptr, false);
  if (!json.is_object() || !json.contains("quotas")) return damaged();
  const auto created = time_in(json, "created");
  if (!created) return damaged();
  Tenant tenant{.name = name, .created = *created, .removed = time_in(json, "removed")};
  if (!merge(json["quotas"], tenant.quotas)) return damaged();
  return tenant;
}

Task<Result<std::optional<Tenant>>> find(store::Transaction* transaction, TenantName name) {
  CARREL_CO_TRY(const store::Record* const record,
                co_await transaction->read(kTenants, name.str()));
  if (record == nullptr) co_return std::optional<Tenant>();
  CARREL_CO_TRY(Tenant tenant, read_tenant(name, record->bytes));
  co_return std::optional(std::move(tenant));
}

Task<Result<Tenant>> require(store::Transaction* transaction, TenantName name) {
  CARREL_CO_TRY(std::optional<Tenant> tenant, co_await find(transaction, std::move(name)));
  if (!tenant) co_return fail(Code::not_found, "there is no tenant of that name");
  if (tenant->removed) co_return fail(Code::not_found, "the tenant has been removed");
  co_return std::move(*tenant);
}

Result<void> keep(store::Transaction& transaction, const Tenant& tenant) {
  return transaction.put(kTenants, tenant.name.str(), {.bytes = to_json(tenant).dump()});
}

Task<Result<bool>> has_children(store::Transaction* transaction, TenantName name) {
  CARREL_CO_TRY(const store::NamePage page,
                co_await transaction->read_names(kTenants, name.str() + "/", "", 1));
  co_return !page.entries.empty();
}

}  // namespace carrel::tenant
