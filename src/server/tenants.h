// The tenants of apps that are named on the command line: there from the start.
#pragma once

#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "turn/state.h"

namespace carrel::server {

// Creates those that there are not, and restores those that have been removed: an app is served in
// them. Errors: those of a commit.
async::Task<Result<void>> create_tenants(turn::Services services, std::vector<TenantName> names,
                                         WallTime now);

// Makes every tenant's quotas count. Before the first turn. One whose record is damaged has none:
// it keeps no other from being served (removed_tenants.h says so in the log). Errors: those of
// reading.
async::Task<Result<void>> enforce_quotas(turn::Services services);

}  // namespace carrel::server
