// A tenant, and the record that keeps it.
//
//   Kind::tenant, store "", name: the tenant's path -> JSON
//
// A removed tenant stays until its grace period is over: nobody can use it, and it can be restored.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "store/transaction.h"
#include "tenant/quotas.h"

namespace carrel::tenant {

// Value type.
struct Tenant {
  TenantName name;
  Quotas quotas;
  WallTime created;
  std::optional<WallTime> removed;  // when its data goes; nothing: it is in use
};

inline const store::Place kTenants{.kind = store::Kind::tenant, .store = ""};

// What the record holds, and what the API shows but for the name.
nlohmann::json to_json(const Tenant& tenant);
// Errors: data_corrupt.
Result<Tenant> read_tenant(const TenantName& name, std::string_view record);

// The transaction outlives the tasks. Errors: those of Transaction::read; data_corrupt.
async::Task<Result<std::optional<Tenant>>> find(store::Transaction* transaction, TenantName name);
// As `find`; not_found when there is none, or it has been removed.
async::Task<Result<Tenant>> require(store::Transaction* transaction, TenantName name);
Result<void> keep(store::Transaction& transaction, const Tenant& tenant);

// Whether there are tenants below `name`, removed ones included.
async::Task<Result<bool>> has_children(store::Transaction* transaction, TenantName name);

}  // namespace carrel::tenant
