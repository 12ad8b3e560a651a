// Makes a tenant's quotas count, from now on: its storage at the committer, the rest where turns
// ask for it (allowance.h).
#pragma once

#include "store/store.h"
#include "tenant/allowance.h"
#include "tenant/tenant.h"

namespace carrel::tenant {

// `allowances` may be null: nothing but storage is bounded here. Any thread.
void enforce(store::Store& store, Allowances* allowances, const Tenant& tenant);

}  // namespace carrel::tenant
