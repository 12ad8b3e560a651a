// `/event`: what the turn is about, as read-only files.
//
//   body              the event's body as it arrives; the same bytes as standard input, read once
//   attributes.json   {"id", "source", "type", "subject", "time", ...}; for a request also
//   "method", "path",
//                     "query", "route" and "parameters"
//
// Owner: one turn. Thread: its shard.
#pragma once

#include <memory>

#include "turn/turn.h"
#include "wasi/node.h"

namespace carrel::capability::event {

// `turn` outlives the node.
std::shared_ptr<wasi::Node> event_files(turn::Turn& turn);

// The body as an open file: for standard input. A body that fails to arrive is EIO, and the turn's
// body_failure says why. `turn` outlives the file.
std::unique_ptr<wasi::OpenFile> open_body(turn::Turn& turn);

}  // namespace carrel::capability::event
