// Removed tenants whose grace period is over: all that they kept goes, a bounded step at a time.
//
// What apps and people kept goes first, then tokens and the audit log, at last the tenant's record:
// whoever begins anew, after a crash or a conflict, finds what is left. The name is free from then
// on, and nothing is there for who takes it. The node's audit log says that it happened.
#pragma once

#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "store/store.h"

namespace carrel::tenant {

inline constexpr std::size_t kErasedAtOnce = 256;  // records of a step

// Whose data is to go by `now`; and whose records are damaged, so that nobody knows. Errors: those
// of the store.
struct Overdue {
  std::vector<TenantName> names, damaged;
};
async::Task<Result<Overdue>> overdue(store::ShardStore* store, WallTime now);

// Whether the tenant is there and its data is to go by `now`.
async::Task<Result<bool>> is_overdue(store::Transaction* transaction, TenantName name,
                                     WallTime now);

enum class Erased : unsigned char { some, all };

// One step, for a tenant that is overdue; one that is not keeps everything: `all`. The transaction,
// the tenant's, outlives the task and is committed by the caller. Errors: those of the store.
async::Task<Result<Erased>> erase_step(store::Transaction* transaction, store::ShardStore* store,
                                       TenantName name, WallTime now);

}  // namespace carrel::tenant
