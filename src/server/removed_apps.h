// Removed apps whose grace period is over.
#pragma once

#include <functional>

#include "app/deployment/records.h"
#include "async/task.h"
#include "base/clock.h"
#include "delivery/ring.h"
#include "turn/state.h"

namespace carrel::server {

// Takes away what there is of the app, if it is still to go by `now`, a bounded step at a time: its
// deliveries, of which the ring is told, and its events, then its records, and with them its use of
// parts. Nothing is left for who takes the name. If that fails, the next start of the server finds
// it again. `forget`: called before the records go, perhaps more than once, and when there are
// none. Errors: those of the store.
async::Task<Result<void>> erase_removed(turn::Services services, delivery::Ring* ring,
                                        deployment::Scope scope, WallTime now,
                                        std::function<void()> forget);

}  // namespace carrel::server
