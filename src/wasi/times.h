// The times that a guest wants a file to have.
#pragma once

#include "wasi/node.h"

namespace carrel::wasi {

// `flags` are WASI's fstflags. Errors: EINVAL for unknown ones, or for both a time and "now".
Io<SetTimes> times_of(const Clock& clock, std::uint64_t accessed, std::uint64_t modified,
                      std::uint32_t flags);

}  // namespace carrel::wasi
