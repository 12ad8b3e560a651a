// An open `/http/new`: a request as it is written, then the response as it arrives.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "async/task.h"
#include "capability/http/answer.h"
#include "capability/http/call.h"
#include "turn/state.h"
#include "turn/turn.h"
#include "wasi/node.h"

namespace carrel::capability::http {

inline constexpr std::size_t kMaxRequest = 1 << 20;  // bytes of a request message

wasi::FileStat call_stat();

// The turn outlives it. What is written counts as the turn's private memory until the turn ends, as
// it is kept for another run. Stops: destruction cancels the call.
class CallFile final : public wasi::OpenFile {
 public:
  explicit CallFile(turn::Turn& turn) : turn_(turn), answer_(turn.state->calls) {}

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

  turn::Turn& turn_;
  std::string message_;  // while it is written
  bool begun_ = false;
  wasi::Errno error_ = wasi::Errno::success;  // what reads end with, after what is kept
  Answer answer_;
  std::unique_ptr<Call> call_;  // null: of an earlier run, or failed before it was made
  async::Task<void> step_;      // of `call_`; goes before it
};

}  // namespace carrel::capability::http
