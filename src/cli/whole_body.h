// Bodies in one piece, for whoever compares them or writes them down.
#pragma once

#include <string>

#include "net/caller.h"

namespace carrel::cli {

// `body` outlives the task. Errors: those of the body.
async::Task<Result<std::string>> read_whole(async::ByteSource* body);

// Puts a streamed body into the request itself, which outlives the task. Errors: those of the body;
// invalid_argument beyond what a test case has (1 MiB).
async::Task<Result<void>> gather(net::OutgoingRequest* request);

}  // namespace carrel::cli
