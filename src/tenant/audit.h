// The audit log: who changed what, from where, what it was and what it became. Never a secret.
//
//   Kind::audit, store "", name: TENANT:TIME-ID -> JSON
//
// TIME counts backwards, so that a tenant's newest entries are the first of its names. An entry is
// written in the commit of the change it tells of, and is kept for 90 days.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "store/transaction.h"

namespace carrel::tenant {

// Value type.
struct AuditEntry {
  WallTime time;
  TenantName tenant;          // whose matter it is; the node: its own
  std::string who;            // a principal's id
  std::string from;           // an address
  std::string action;         // the API's operationId
  std::string target;         // what was changed: "kv/carts/a"
  std::string before, after;  // JSON texts; empty: there was none, there is none
  std::uint64_t id = 0;       // the request's
};

Result<void> record(store::Transaction& transaction, const AuditEntry& entry);

struct AuditPage {
  std::vector<nlohmann::json> entries;
  std::string next;  // for `after`; empty: that is all
};
// Newest first. `after`: from a page's `next`. The transaction outlives the task. Errors:
// data_corrupt; those of Transaction::read.
async::Task<Result<AuditPage>> read_audit(store::Transaction* transaction, TenantName tenant,
                                          std::string after, std::size_t max);
// Takes away entries of the tenant, at most `most`; returns how many.
async::Task<Result<std::size_t>> erase_audit(store::Transaction* transaction, TenantName tenant,
                                             std::size_t most);

}  // namespace carrel::tenant
