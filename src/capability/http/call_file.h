// An open `/http/new`: a request as it is written, then the response as it arrives.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "async/task.h"
#include "capability/http/call.h"
#include "turn/call_record.h"
#include "turn/turn.h"
#include "wasi/node.h"

namespace carrel::capability::http {

inline constexpr std::size_t kMaxRequest = 1 << 20;  // bytes of a request message

wasi::FileStat call_stat();

// The turn outlives it. What is written counts as the turn's private memory until the turn ends, as
// it is kept for another run. Stops: destruction cancels the call.
class CallFile final : public wasi::OpenFile {
 public:
  explicit CallFile(turn::Turn& turn) : turn_(turn) {}

  wasi::Io<wasi::FileStat> stat(wasi::IoContext&) override { return call_stat(); }
  wasi::Io<std::size_t> write(wasi::IoContext& io, wasi::ConstBuffers from) override;
  wasi::Io<std::size_t> read(wasi::IoContext& io, wasi::Buffers into) override;
  wasi::Io<std::uint64_t> readable(wasi::IoContext& io) override;
  wasi::Io<std::uint64_t> writable(wasi::IoContext& io) override;
  wasi::Io<void> close(wasi::IoContext& io) override;

 private:
  void begin();
  void begin_call(net::OutgoingRequest request);
  void fail_with(const Failure& failure, std::string_view what);
  bool ready();
  void take_step();
  std::size_t copy(wasi::Buffers into);
  std::size_t copy_kept(std::span<std::byte> into);
  std::size_t copy_body(std::span<std::byte> into);

  turn::Turn& turn_;
  std::string message_;  // while it is written
  bool begun_ = false;
  wasi::Errno error_ = wasi::Errno::success;  // what reads end with, after what is kept

  // The response comes from the record of an earlier run, or from a call of this one.
  std::shared_ptr<const turn::RecordedCall> replayed_;
  std::shared_ptr<turn::RecordedCall> record_;
  std::size_t position_ = 0;  // in what is recorded: of a call of this run, the head only
  std::unique_ptr<Call> call_;
  async::Task<void> step_;  // of `call_`; goes before it
};

}  // namespace carrel::capability::http
