// `/counters/STORE/KEY`: counters as files.
//
// Reading gives the value in the turn's snapshot, as a line of decimal text. Writing "+1", "-3" or
// "-1 >=0" adds at the commit, to whatever the counter holds by then; with a floor the turn fails
// rather than leave less. Additions never conflict. Every write must hold whole additions (EINVAL).
#pragma once

#include <memory>

#include "turn/turn.h"
#include "wasi/node.h"

namespace carrel::capability::counter {

// Null: no store is granted, or the turn has no state. `turn` outlives the node. Thread: its shard.
std::shared_ptr<wasi::Node> mount(turn::Turn& turn);

}  // namespace carrel::capability::counter
