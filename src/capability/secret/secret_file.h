// An open secret: its plain text in memory, wiped when the file is closed.
#pragma once

#include "base/secret_bytes.h"
#include "wasi/node.h"

namespace carrel::capability::secret {

class SecretFile final : public wasi::OpenFile {
 public:
  SecretFile(SecretBytes text, const wasi::FileStat& stat);

  wasi::Io<wasi::FileStat> stat(wasi::IoContext& io) override;
  wasi::Io<std::size_t> read(wasi::IoContext& io, wasi::Buffers into) override;
  wasi::Io<std::size_t> read_at(wasi::IoContext& io, wasi::Buffers into, std::uint64_t at) override;
  wasi::Io<std::uint64_t> seek(wasi::IoContext& io, std::int64_t by, Whence whence) override;
  bool seekable() const override { return true; }

 private:
  SecretBytes text_;
  wasi::FileStat stat_;
  std::uint64_t position_ = 0;
};

}  // namespace carrel::capability::secret
