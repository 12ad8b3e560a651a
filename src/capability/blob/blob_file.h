// An open blob.
#pragma once

#include <memory>
#include <string>

#include "capability/blob/hands.h"
#include "capability/state/positioned_file.h"

namespace carrel::capability::blob {

// Refers to the name: once that is unlinked or renamed, ESTALE. Owner: the turn's file table.
// Thread: its shard. `transaction` outlives it.
class BlobFile final : public state::PositionedFile {
 public:
  // `opened_size`: what the blob had then.
  BlobFile(store::Transaction& transaction, std::shared_ptr<Hands> hands, Hand& hand,
           const wasi::OpenHow& how, std::uint64_t opened_size)
      : PositionedFile(how),
        transaction_(transaction),
        hands_(std::move(hands)),
        hand_(&hand),
        opened_size_(opened_size) {
    ++hand.opens;
  }
  ~BlobFile() override;

  wasi::Io<wasi::FileStat> stat(wasi::IoContext& io) override;
  wasi::Io<std::size_t> read_at(wasi::IoContext& io, wasi::Buffers into, std::uint64_t at) override;
  wasi::Io<std::size_t> write_at(wasi::IoContext& io, wasi::ConstBuffers from,
                                 std::uint64_t at) override;
  wasi::Io<void> set_size(wasi::IoContext& io, std::uint64_t size) override;
  wasi::Io<void> close(wasi::IoContext& io) override;

 private:
  wasi::Io<std::uint64_t> end(wasi::IoContext& io) override;
  wasi::Io<const store::Record*> record(wasi::IoContext& io);
  wasi::Io<void> resize(std::uint64_t size);

  store::Transaction& transaction_;
  std::shared_ptr<Hands> hands_;
  Hand* hand_;  // null: closed
  std::uint64_t opened_size_;
};

}  // namespace carrel::capability::blob
