// Turns that failed, under the id that the client was given: what the operator searches for.
#pragma once

#include <memory>

#include "api/log_tail.h"
#include "base/clock.h"
#include "observe/log.h"
#include "patterns/function/handler.h"

namespace carrel::server {

// Owner: the composition root; outlives the shards. Thread: any shard's.
std::unique_ptr<function::FailureLog> make_failure_log(observe::Log& log, api::LogTail& tail,
                                                       const Clock& clock);

}  // namespace carrel::server
