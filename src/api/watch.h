// A watch: changes of a store's values as server-sent events, as they become durable.
//
// "put" and "delete" name a value and the commit; "gap" says that changes were missed, and to list
// the store again; "watching" comes first. It goes on until the client or the server ends it.
#pragma once

#include <string>

#include "async/task.h"
#include "base/id.h"
#include "net/http.h"
#include "store/store.h"
#include "turn/state.h"

namespace carrel::api {

// Returns when the reply has started and ended, or why it cannot start: too_many_requests.
async::Task<Result<void>> stream_changes(turn::Services services, TenantName tenant,
                                         store::Place place, std::string prefix,
                                         net::ReplySink* reply);

}  // namespace carrel::api
