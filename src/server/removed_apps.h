// Removed apps whose grace period is over.
#pragma once

#include <functional>

#include "app/deployment/records.h"
#include "async/task.h"
#include "base/clock.h"
#include "turn/state.h"

namespace carrel::server {

// Takes away the app's records, and with them its use of parts, if it is still to go by `now`. If
// that fails, the next start of the server finds it again. `forget`: called before they go.
async::Task<void> erase_removed(turn::Services services, deployment::Scope scope, WallTime now,
                                std::function<void()> forget);

}  // namespace carrel::server
