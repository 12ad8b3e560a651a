// The names in a folder of the host, a piece at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "wasi/node.h"

namespace carrel::capability::folder {

// From `cookie` on, which is the file system's own position; without "." and "..". At most `max`
// entries, and at most what one buffer of getdents64 holds; empty at the end.
wasi::Io<std::vector<wasi::DirEntry>> list_host_folder(int fd, std::uint64_t cookie,
                                                       std::size_t max);

}  // namespace carrel::capability::folder
