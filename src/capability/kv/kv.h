// `/kv/STORE/KEY`: key-value stores as files.
//
// What is written is in the turn's transaction at once and kept when the turn is. A value has at
// most 1 MiB (EFBIG). A modification time in the future is when the key expires; writing makes the
// modification time now, and so the key stays. Renaming is for values, within `/kv`.
#pragma once

#include <memory>

#include "turn/turn.h"
#include "wasi/node.h"

namespace carrel::capability::kv {

// Null: no store is granted, or the turn has no state. `turn` outlives the node. Thread: its shard.
std::shared_ptr<wasi::Node> mount(turn::Turn& turn);

}  // namespace carrel::capability::kv
