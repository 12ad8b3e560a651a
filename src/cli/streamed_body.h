// Bodies of calls that are streamed, made whole for whoever compares them or writes them down.
#pragma once

#include "async/task.h"
#include "net/caller.h"

namespace carrel::cli {

// Puts a streamed body into the request itself, which outlives the task. Thread: the caller's
// shard. Errors: those of the body; invalid_argument beyond what a test case has (1 MiB).
async::Task<Result<void>> gather(net::OutgoingRequest* request);

}  // namespace carrel::cli
