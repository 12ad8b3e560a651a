// Functions of the application as a server calls them: HTTPS callbacks.
//
// A call is a signed POST (signature.h) of the input, as JSON, that says which function is meant
// and whose module asks; a 2xx answer's body is the function's. Redirects are not followed. A call
// that comes again, as its turn did, has the same id.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/callbacks.h"
#include "base/id.h"
#include "turn/functions.h"

namespace carrel::hook {

// Those of an app. `tenant`: its own, whose secrets sign, and in whose log stands why a call
// failed: a customer's says no more than that it did. Immutable, shared by all shards.
std::shared_ptr<const turn::FunctionSource> callbacks_of(const TenantName& tenant,
                                                         const AppName& app,
                                                         const std::vector<app::Callback>& all);

}  // namespace carrel::hook
