// A command's standard output and error as open files.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "abi/reply_output.h"
#include "turn/turn.h"
#include "wasi/node.h"

namespace carrel::abi {

// Writes go to the reply. Not a terminal, so that guests write in large pieces.
class OutputFile final : public wasi::OpenFile {
 public:
  OutputFile(ReplyOutput& output, const turn::Turn& turn) : output_(output), turn_(turn) {}
  wasi::Io<wasi::FileStat> stat(wasi::IoContext& io) override;
  wasi::Io<std::size_t> write(wasi::IoContext& io, wasi::ConstBuffers from) override;
  wasi::Io<std::uint64_t> writable(wasi::IoContext& io) override;

 private:
  ReplyOutput& output_;
  const turn::Turn& turn_;
};

// Whole lines to the log of the module's owner, as they end, without the secrets the turn was told.
// After the module's limit, to which each line adds its bytes and what the log writes around it,
// the rest is dropped, which the log says once.
class ErrorFile final : public wasi::OpenFile {
 public:
  explicit ErrorFile(const turn::Turn& turn) : turn_(turn), left_(turn.module.limits.log_bytes) {}
  ~ErrorFile() override { end_line(); }

  wasi::Io<wasi::FileStat> stat(wasi::IoContext& io) override;
  wasi::Io<std::size_t> write(wasi::IoContext& io, wasi::ConstBuffers from) override;
  wasi::Io<std::uint64_t> writable(wasi::IoContext& io) override;

 private:
  void take(std::string_view bytes);
  void end_line();
  void cut_line();
  void drop_rest();
  void log(std::string_view line);
  std::span<const SecretBytes> secrets() const;

  static constexpr std::size_t kLongestLine = 4 << 10;

  const turn::Turn& turn_;
  std::uint64_t left_;
  bool dropping_ = false;
  std::string line_;
  std::size_t longest_ = kLongestLine;  // that line_ may get
};

}  // namespace carrel::abi
