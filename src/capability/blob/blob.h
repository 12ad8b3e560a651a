// `/blobs/STORE/NAME`: large objects as files, of 1 GiB at most (EFBIG).
//
// A blob is read and written part by part (store/parts.h), of which one is in memory for each blob,
// charged to the turn (EDQUOT). Parts go to the disk as they are filled, the last before the
// commit; the blob is the turn's manifest of them, and so is kept or not as all else. A damaged
// part is EIO.
//
// ENOTSUP: writing behind the end, a size other than 0 and the present one, setting times, renaming
// a folder or to another store. A turn writes 2,048 parts at most (EDQUOT).
#pragma once

#include <memory>

#include "turn/turn.h"
#include "wasi/node.h"

namespace carrel::capability::blob {

// Null: no store is granted, or the turn has no state. `turn` outlives the node. Thread: its shard.
std::shared_ptr<wasi::Node> mount(turn::Turn& turn);

}  // namespace carrel::capability::blob
