// A folder of the host, mounted into guests' file trees.
//
// The kernel resolves every path below the folder's descriptor (openat2 with RESOLVE_BENEATH), so
// symbolic links,
// "..", and whoever renames folders meanwhile lead nowhere outside: EPERM. Operations on a name go
// to its parent's descriptor, one name, following nothing. Only regular files and folders can be
// opened: a FIFO, socket or device is ENXIO and blocks nobody. Reads and writes block the thread
// for at most 256 KiB of a regular file; sync for as long as the disk takes.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "wasi/node.h"

namespace carrel::capability::folder {

enum class Access : std::uint8_t { read_only, read_write };

// Immutable, so one mount may serve the turns of all shards. Owner: whoever mounts it, and every
// turn that uses it. Errors, each naming the folder: not_found, permission_denied, invalid_argument
// for what is no folder, unsupported where the kernel or a seccomp filter has no openat2, io.
Result<std::shared_ptr<wasi::Node>> mount(const std::filesystem::path& folder, Access access);

}  // namespace carrel::capability::folder
