// A body, read to its end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "async/stream.h"
#include "async/task.h"
#include "base/result.h"

namespace carrel::net {

// Thread: the body's shard. `body` outlives the task, whose destruction gives it up. Errors: those
// of the body; for more than `most` bytes `too_large`, or egress_too_large if that is nothing.
async::Task<Result<std::string>> read_whole(async::ByteSource* body, std::size_t most = SIZE_MAX,
                                            std::optional<Error> too_large = {});

}  // namespace carrel::net
