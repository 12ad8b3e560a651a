// Where a seek leads, for files that keep their own position: as lseek of POSIX has it.
#pragma once

#include <cstdint>

#include "wasi/node.h"

namespace carrel::wasi {

struct SeekState {
  std::uint64_t position = 0;
  std::uint64_t size = 0;
};

// The new position, which may be behind the end. Errors: EINVAL before the beginning; EOVERFLOW
// when no signed offset can say it.
Io<std::uint64_t> seek_to(const SeekState& now, std::int64_t by, OpenFile::Whence whence);

}  // namespace carrel::wasi
