// What is at a place of the tree: a node's file, or a folder that exists only above mounts.
#pragma once

#include "wasi/context.h"
#include "wasi/paths.h"

namespace carrel::wasi {

// The path of a call below its folder. Errors: those of `resolve`; EBADF, ENOTDIR and ENOTCAPABLE
// for the folder.
Io<Location> locate(Context& c, Fd folder, GuestPtr path, std::uint32_t size, Rights needed);

Io<std::unique_ptr<OpenFile>> open_place(Context& c, const Location& place, const OpenHow& how);
Io<FileStat> stat_place(Context& c, const Location& place, bool follow);

// The descriptor's file; opens a preopened folder at its first use.
Io<OpenFile*> file_of(Context& c, Descriptor& descriptor);
Io<FileStat> stat_of(Context& c, Descriptor& descriptor);

// ENOTDIR when the path says that it is a folder, and it is something else.
Io<void> check_folder(Context& c, const Location& place);

}  // namespace carrel::wasi
