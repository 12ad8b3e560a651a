// Guests' standard error: into the log as one event a line, or beside the requests in `carrel dev`.
#pragma once

#include <memory>

#include "api/log_tail.h"
#include "base/clock.h"
#include "observe/line_writer.h"
#include "observe/log.h"
#include "turn/turn.h"

namespace carrel::server {

// Owner: the composition root; outlives the shards. Thread: any shard's. How much a turn may say is
// bounded by its module's limits; a line is cut at 4 KiB.
std::unique_ptr<turn::GuestLog> json_guest_log(observe::Log& log);

// "price | the rates are from yesterday"
std::unique_ptr<turn::GuestLog> text_guest_log(std::shared_ptr<observe::LineWriter> writer);

// The same, and what `tail` keeps.
std::unique_ptr<turn::GuestLog> tailed_guest_log(std::unique_ptr<turn::GuestLog> log,
                                                 api::LogTail& tail, const Clock& clock);

}  // namespace carrel::server
