// What one guest's WASI calls share: its files, its environment, and how far a call in progress has
// come.
#pragma once

#include "wasi/file_table.h"
#include "wasi/wasi.h"

namespace carrel::wasi {

// Where a call that is made again goes on. Only one is in progress, so one is enough. Empty between
// calls.
struct Progress {
  std::uint64_t done = 0;    // bytes, or that it has waited
  std::uint64_t cookie = 0;  // fd_readdir
  std::optional<Instant> started;
};

struct Wasi::State {
  State(async::Shard& on, const Clock& by, Environment environment);

  async::Shard& shard;
  const Clock& clock;
  Lazy<Strings> arguments;
  Lazy<Strings> variables;
  Lazy<Tree> tree;
  FileTable files;
  std::uint64_t memory_left;
  Instant origin;
  Progress progress;
  Errno first_close_error = Errno::success;

  // Closes a file that has been taken out of the table.
  Io<void> close(IoContext& io, Descriptor& descriptor);
};

}  // namespace carrel::wasi
