// One call of a function of the application, while its file is open.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "turn/call_record.h"
#include "turn/functions.h"
#include "turn/turn.h"
#include "wasi/device_folder.h"

namespace carrel::capability::application {

// Owner: the guest's table of files; `turn` outlives it. Thread: the turn's shard.
class CallFile final : public wasi::OpenFile {
 public:
  CallFile(turn::Turn& turn, std::string name, std::shared_ptr<const turn::Function> function)
      : turn_(turn), name_(std::move(name)), function_(std::move(function)) {}

  wasi::Io<wasi::FileStat> stat(wasi::IoContext&) override { return wasi::device_stat(); }
  wasi::Io<std::size_t> write(wasi::IoContext& io, wasi::ConstBuffers from) override;
  wasi::Io<std::size_t> read(wasi::IoContext& io, wasi::Buffers into) override;

 private:
  using Answer = turn::Function::Answer;
  struct Refused {
    wasi::Errno number;
    std::string why;
  };
  using Outcome = std::expected<std::string, Refused>;

  async::Task<void> call();
  async::Task<Outcome> ask_outside();
  async::Task<Outcome> ask();
  std::optional<std::string> check_input() const;

  turn::Turn& turn_;
  std::string name_;
  std::shared_ptr<const turn::Function> function_;
  std::string input_;
  std::optional<std::string> output_;
  std::size_t read_ = 0;
  wasi::Errno failure_ = wasi::Errno::success;
  bool called_ = false, charged_ = false;
};

}  // namespace carrel::capability::application
