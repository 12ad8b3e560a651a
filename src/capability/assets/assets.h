// `/assets`: an app's own files, read-only.
//
// A deployment never changes, so a folder of moderate size is read once, into memory, and every
// turn reads from there without a system call: many functions read some template or table each time
// they run. A larger folder, or one with symbolic links to folders, is read from the disk instead;
// guests see the same either way.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/result.h"
#include "wasi/node.h"

namespace carrel::capability::assets {

// What is read into memory at most, in sum.
struct SnapshotLimits {
  std::uint64_t bytes = 32 << 20;
  std::size_t files = 10'000;
};

// Reads the folder once; changes are seen by the next mount. Symbolic links to files are followed
// below the folder; those that lead nowhere or outside, and what is neither file nor folder, are
// left out. Immutable: one mount serves the turns of all shards. Blocks while it reads: not for a
// shard's thread. Errors: those of capability/folder, and io or permission_denied naming the file
// that cannot be read.
Result<std::shared_ptr<wasi::Node>> mount(const std::filesystem::path& folder,
                                          SnapshotLimits limits = {});

}  // namespace carrel::capability::assets
