// A file's bytes in memory: only what was written takes room, gaps read as zeros.
//
// Bytes live in chunks of 16 KiB, and a chunk starts small, so a short file costs little and one
// byte written at 2^60 costs a chunk. Every byte of room is charged to the turn before it is taken
// and given back when it is freed. One call moves at most 256 KiB, so that no call holds its thread
// for long.
//
// Owner: a file of `/tmp`. Thread: the turn's shard. Destruction gives nothing back: call `clear`
// before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "wasi/node.h"

namespace carrel::capability::tmp {

class SparseBytes {
 public:
  static constexpr std::uint64_t kMaxSize = INT64_MAX;
  static constexpr std::size_t kMaxTransfer = 256 << 10;

  std::uint64_t size() const { return size_; }

  // Bytes read; 0 at the end.
  std::size_t read(wasi::Buffers into, std::uint64_t at) const;

  // Bytes written, fewer than given when the quota ends on the way. Errors: EDQUOT, EFBIG.
  wasi::Io<std::size_t> write(wasi::IoContext& io, wasi::ConstBuffers from, std::uint64_t at);

  // Errors: EFBIG.
  wasi::Io<void> resize(wasi::IoContext& io, std::uint64_t size);

  void clear(wasi::IoContext& io);

 private:
  // Bytes behind `capacity` are zeros that take no room.
  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t capacity = 0;
  };

  static void copy_out(const Chunk* chunk, std::size_t offset,
                       std::span<std::byte> into);  // null: a gap
  Chunk* room_for(wasi::IoContext& io, std::uint64_t index,
                  std::size_t needed);  // null: over the quota
  std::size_t put(wasi::IoContext& io, std::span<const std::byte> from, std::uint64_t at);

  std::map<std::uint64_t, Chunk> chunks_;
  std::uint64_t size_ = 0;
};

}  // namespace carrel::capability::tmp
