// This process's standard streams as a guest's: live, without a buffer of our own between them.
#pragma once

#include <memory>

#include "async/shard.h"
#include "wasi/node.h"

namespace carrel::cli {

enum class StreamUse : unsigned char { input, output };

// Null if the descriptor is not open or cannot be waited for. Reading and writing suspend the
// guest, never the thread; a write to a pipe or terminal moves at most a page at a time for that.
// Owner: the guest's file table. Thread: the shard's.
std::unique_ptr<wasi::OpenFile> open_stream(async::Shard& shard, int fd, StreamUse use);

}  // namespace carrel::cli
