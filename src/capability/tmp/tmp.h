// `/tmp`: a guest's private memory as a folder, gone after the turn.
//
// A whole file tree as POSIX describes it: files with gaps, folders, renames, hard and symbolic
// links, open files that outlive their names. What it holds is charged to the turn's memory, and
// given back when removed: EDQUOT over the quota, ENOSPC beyond 32,768 files. A symbolic link's
// target is relative and stays below `/tmp` (EPERM).
#pragma once

#include <memory>

#include "wasi/node.h"

namespace carrel::capability::tmp {

// An empty `/tmp` for one turn; costs one small allocation until the guest uses it.
// Owner: the turn's tree. Thread: the turn's shard.
std::shared_ptr<wasi::Node> mount();

}  // namespace carrel::capability::tmp
