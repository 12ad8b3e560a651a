// The audit entry of a request's change, in the change's own transaction.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/id.h"
#include "base/result.h"
#include "store/transaction.h"
#include "tenant/audit.h"

namespace carrel::api {

struct Call;

// What it was and what it becomes; null: there was none, there is none. Never a secret.
struct Changed {
  std::string target;  // "kv/carts/a"
  const nlohmann::json& before;
  const nlohmann::json& after;
};

// `tenant`: whose matter it is.
Result<void> record(store::Transaction& transaction, const Call& call, const TenantName& tenant,
                    const Changed& changed);

// For a change that outlives its request: its entry but for what it was and what it becomes.
tenant::AuditEntry audit_entry(const Call& call, const TenantName& tenant, std::string target);

}  // namespace carrel::api
