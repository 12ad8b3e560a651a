// A response's body, read to its end.
#pragma once

#include <string>

#include "async/stream.h"
#include "async/task.h"
#include "base/result.h"

namespace carrel::hook {

// `body` outlives the task. Errors: egress_too_large; those of the body.
async::Task<Result<std::string>> read_whole(async::ByteSource* body, std::size_t most);

}  // namespace carrel::hook
