// What the kernel says of this process.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace carrel::server {

struct ProcessFigures {
  double cpu_seconds = 0;    // of all its threads
  double start_seconds = 0;  // since 1970
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
  std::uint64_t threads = 0;
  std::uint64_t open_files = 0, most_files = 0;
};

// What cannot be read is 0.
ProcessFigures process_figures();

}  // namespace carrel::server
