// `/app/NAME`: functions of the application, one file each.
//
// Opened for reading and writing, a file is one call: what is written is its input, and the first
// read makes the call and gives the answer, both JSON of at most 1 MiB. What went wrong is EIO, and
// the guest's log says why; EDQUOT for a binding that calls more often than it may, and where the
// turn has no room for what is said. Calls that leave the process are part of their turn: they wait
// until what it has read is durable, and a turn that is run again is given the answers it had.
#pragma once

#include <memory>

#include "turn/turn.h"
#include "wasi/node.h"

namespace carrel::capability::application {

// Null: the module sees no functions. `turn` outlives the node. Thread: its shard.
std::shared_ptr<wasi::Node> mount(turn::Turn& turn);

}  // namespace carrel::capability::application
