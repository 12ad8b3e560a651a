// Opening what is below a folder, and nothing else: openat2 with RESOLVE_BENEATH and
// RESOLVE_NO_MAGICLINKS.
#pragma once

#include <string>
#include <string_view>

#include "base/fd.h"
#include "wasi/errno.h"

namespace carrel::capability::folder {

// A name in a folder: what unlink, rename, mkdir and their like work on.
struct Name {
  Fd folder;         // O_PATH
  std::string name;  // one component, neither "." nor ".."
};

// The system call, once; a negative errno on failure.
int open_beneath_once(int folder, const char* path, int flags, unsigned mode);

// `path` relative to `folder`; "" is the folder itself. Never blocks on a FIFO, never makes a
// terminal ours. Errors: EPERM for what leads outside, EINVAL for a NUL, EBUSY when others rename
// folders without pause.
wasi::Io<Fd> open_beneath(int folder, std::string_view path, int flags, unsigned mode = 0);

// The parent of `path`'s last name. Errors: EBUSY for the folder itself; EINVAL for a last "." or
// "..".
wasi::Io<Name> name_beneath(int folder, std::string_view path);

}  // namespace carrel::capability::folder
