// An open `/http/new`: a request as it is written, then the response as it arrives.
//
// A request that is short is sent when it is whole. A long one, or one that the guest syncs, is on
// its way from then on: its body leaves as it is written, and who writes faster than it leaves
// waits. In either case a digest of the whole says whether another run made the same request.
//
// A body ends when the response is read; one in chunks has an end of its own, so its response may
// be waited for meanwhile. An answer that comes before the end cuts the request off, and another
// run is given it at the same place.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "async/bell.h"
#include "async/shared_task.h"
#include "base/digest.h"
#include "capability/http/answer.h"
#include "capability/http/body_pipe.h"
#include "capability/http/call.h"
#include "capability/http/written_body.h"
#include "turn/state.h"
#include "turn/turn.h"
#include "wasi/device_folder.h"

namespace carrel::capability::http {

inline constexpr std::size_t kMostWhole = 1 << 20;  // bytes of a message; beyond: streamed

// Owner: the guest's table of files. Thread: the turn's shard. The turn outlives it. What is held
// of a request counts as the turn's private memory until the turn ends. Stops: destruction cancels
// the call.
class CallFile final : public wasi::OpenFile {
 public:
  explicit CallFile(turn::Turn& turn) : turn_(turn), answer_(turn.state->calls) {}

  wasi::Io<wasi::FileStat> stat(wasi::IoContext&) override { return wasi::device_stat(); }
  wasi::Io<std::size_t> write(wasi::IoContext& io, wasi::ConstBuffers from) override;
  wasi::Io<std::size_t> read(wasi::IoContext& io, wasi::Buffers into) override;
  wasi::Io<void> sync(wasi::IoContext& io) override;
  wasi::Io<std::uint64_t> readable(wasi::IoContext& io) override;
  wasi::Io<std::uint64_t> writable(wasi::IoContext& io) override;
  wasi::Io<void> close(wasi::IoContext& io) override;

 private:
  std::optional<net::OutgoingRequest> check();
  wasi::Io<void> begin(wasi::IoContext& io);
  bool send_if_whole(net::OutgoingRequest& request);
  void send_whole(net::OutgoingRequest request, Sha256 head);
  void replay(std::shared_ptr<const turn::RecordedCall> recorded);
  void begin_call(net::OutgoingRequest request, std::string digest);
  wasi::Io<void> begin_stream(wasi::IoContext& io);
  wasi::Io<void> stream(wasi::IoContext& io, net::OutgoingRequest request);
  wasi::Io<std::size_t> write_on(wasi::IoContext& io, wasi::ConstBuffers from);
  std::size_t take(std::string_view written);
  void take_body(std::string_view piece);
  bool may_leave(wasi::IoContext& io);
  bool somebody_reads() const { return pipe_ && step_.running(); }
  bool is_open() const { return body_ && body_->in_chunks() && !ended_; }
  enum class End : bool { whole, cut };
  void end_stream(End end);
  void refuse_chunks();
  void diverge();
  void fail_with(const Failure& failure, std::string_view what);
  bool ready();
  void take_step();

  turn::Turn& turn_;
  std::string message_;              // while it is written
  bool begun_ = false;               // its response is being read
  bool ended_ = false;               // nothing more is written of what is streamed
  std::optional<Sha256> streamed_;   // the digest of what is written, once it is streamed
  std::optional<WrittenBody> body_;  // of what is streamed; nothing: it is no request
  std::uint64_t written_ = 0;        // bytes of that
  net::Fields trailers_;             // of what is streamed
  async::Bell told_;                 // an earlier run's response is there
  std::unique_ptr<BodyPipe> pipe_;   // null: of an earlier run, or failed
  std::shared_ptr<std::optional<Error>> gate_failure_ = std::make_shared<std::optional<Error>>();
  wasi::Errno error_ = wasi::Errno::success;            // what reads end with, after what is kept
  std::shared_ptr<turn::RecordedCall> record_;          // of a streamed call of this run
  std::shared_ptr<const turn::RecordedCall> recorded_;  // of an earlier one's
  Answer answer_;
  std::unique_ptr<Call> call_;  // null: of an earlier run, or failed before it was made
  async::SharedTask step_;      // of `call_`; goes before it
};

}  // namespace carrel::capability::http
