// What is left of deliveries for a binding, once there is none: for its owner to begin anew.
// Thread: the services' shard.
#pragma once

#include <string>

#include "delivery/ring.h"
#include "turn/state.h"

namespace carrel::api {

// Takes away all that waits in `lane`, and its dead letters, unless the tenant's binding of this
// name is there and has that lane. Errors: those of the store; what was taken stays so.
async::Task<Result<void>> clear_leftovers(turn::Services services, delivery::Ring* ring,
                                          TenantName tenant, std::string name, std::string lane);

}  // namespace carrel::api
