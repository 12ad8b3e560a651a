// An open value of a key-value store.
#pragma once

#include <string>

#include "capability/state/positioned_file.h"
#include "store/transaction.h"

namespace carrel::capability::kv {

wasi::FileStat stat_of(const store::Record& record);

// By the modification time. The record must exist in the transaction.
wasi::Io<void> set_expiry(wasi::IoContext& io, store::Transaction& transaction,
                          const store::Place& place, const std::string& name, wasi::SetTimes times);

// Refers to the name: once that is unlinked or renamed, ESTALE. Owner: the turn's file table.
// Thread: its shard. `transaction` outlives it.
class ValueFile final : public state::PositionedFile {
 public:
  // `opened`: what the value was then.
  ValueFile(store::Transaction& transaction, store::Place place, std::string name,
            const wasi::OpenHow& how, const wasi::FileStat& opened)
      : PositionedFile(how),
        transaction_(transaction),
        place_(std::move(place)),
        name_(std::move(name)),
        opened_(opened) {}

  wasi::Io<wasi::FileStat> stat(wasi::IoContext& io) override;
  wasi::Io<std::size_t> read_at(wasi::IoContext& io, wasi::Buffers into, std::uint64_t at) override;
  wasi::Io<std::size_t> write_at(wasi::IoContext& io, wasi::ConstBuffers from,
                                 std::uint64_t at) override;
  wasi::Io<void> set_size(wasi::IoContext& io, std::uint64_t size) override;
  wasi::Io<void> set_times(wasi::IoContext& io, wasi::SetTimes times) override;
  wasi::Io<void> allocate(wasi::IoContext& io, std::uint64_t at, std::uint64_t size) override;

 private:
  wasi::Io<std::uint64_t> end(wasi::IoContext& io) override;
  wasi::Io<const store::Record*> record(wasi::IoContext& io);
  wasi::Io<store::Record*> resize(wasi::IoContext& io, std::uint64_t size);

  store::Transaction& transaction_;
  store::Place place_;
  std::string name_;
  wasi::FileStat opened_;
};

}  // namespace carrel::capability::kv
