// An open file with a position: read, write, seek and append over read_at and write_at.
#pragma once

#include <cstdint>

#include "wasi/node.h"

namespace carrel::capability::state {

// Owner: the turn's file table. Thread: its shard.
class PositionedFile : public wasi::OpenFile {
 public:
  explicit PositionedFile(const wasi::OpenHow& how) : how_(how) {}

  wasi::Io<std::size_t> read(wasi::IoContext& io, wasi::Buffers into) override;
  wasi::Io<std::size_t> write(wasi::IoContext& io, wasi::ConstBuffers from) override;
  wasi::Io<std::uint64_t> seek(wasi::IoContext& io, std::int64_t by, Whence whence) final;
  bool seekable() const final { return true; }
  wasi::Io<void> set_append(wasi::IoContext& io, std::uint16_t fdflags) final;

 protected:
  // Where an append begins. Unlike `stat` it may wait, and counts as a read.
  virtual wasi::Io<std::uint64_t> end(wasi::IoContext& io) = 0;
  const wasi::OpenHow& how() const { return how_; }

 private:
  wasi::OpenHow how_;
  std::uint64_t at_ = 0;
};

}  // namespace carrel::capability::state
