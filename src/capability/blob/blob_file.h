// An open blob.
#pragma once

#include <memory>
#include <string>

#include "capability/blob/hands.h"
#include "wasi/node.h"

namespace carrel::capability::blob {

// Refers to the name: once that is unlinked or renamed, ESTALE. Owner: the turn's file table.
// Thread: its shard. `transaction` outlives it.
class BlobFile final : public wasi::OpenFile {
 public:
  BlobFile(store::Transaction& transaction, std::shared_ptr<Hands> hands, Hand& hand,
           const wasi::OpenHow& how)
      : transaction_(transaction), hands_(std::move(hands)), hand_(&hand), how_(how) {
    ++hand.opens;
  }
  ~BlobFile() override;

  wasi::Io<wasi::FileStat> stat(wasi::IoContext& io) override;
  wasi::Io<std::size_t> read(wasi::IoContext& io, wasi::Buffers into) override;
  wasi::Io<std::size_t> write(wasi::IoContext& io, wasi::ConstBuffers from) override;
  wasi::Io<std::size_t> read_at(wasi::IoContext& io, wasi::Buffers into, std::uint64_t at) override;
  wasi::Io<std::size_t> write_at(wasi::IoContext& io, wasi::ConstBuffers from,
                                 std::uint64_t at) override;
  wasi::Io<std::uint64_t> seek(wasi::IoContext& io, std::int64_t by, Whence whence) override;
  bool seekable() const override { return true; }
  wasi::Io<void> set_size(wasi::IoContext& io, std::uint64_t size) override;
  wasi::Io<void> set_append(wasi::IoContext& io, std::uint16_t fdflags) override;
  wasi::Io<void> close(wasi::IoContext& io) override;

 private:
  wasi::Io<const store::Record*> record(wasi::IoContext& io);
  wasi::Io<void> resize(std::uint64_t size);

  store::Transaction& transaction_;
  std::shared_ptr<Hands> hands_;
  Hand* hand_;  // null: closed
  wasi::OpenHow how_;
  std::uint64_t at_ = 0;
};

}  // namespace carrel::capability::blob
