// A command's standard output as the reply to its event.
//
// What the guest writes is kept until it has to go. A guest that ends soon has its reply sent
// whole, with its length, and a failure can still be told by a status. Once the head is complete, a
// guest that waits has what it wrote sent at once, and one that computes within ten milliseconds. A
// guest that writes faster than the client reads waits for the client.
#pragma once

#include <optional>
#include <string>

#include "abi/command/cgi_reply.h"
#include "async/task.h"
#include "base/clock.h"
#include "net/http.h"
#include "wasi/node.h"

namespace carrel::abi::command {

enum class ReplyForm : std::uint8_t {
  cgi,
  plain
};  // plain: no head, for events that are not requests

// Owner: the turn's frame. Thread: its shard. Stops: destruction cancels a sending in progress.
class ReplyOutput {
 public:
  ReplyOutput(net::ReplySink& reply, ReplyForm form) : reply_(reply), form_(form) {}
  ReplyOutput(const ReplyOutput&) = delete;
  ReplyOutput& operator=(const ReplyOutput&) = delete;

  // Takes what fits. EAGAIN with a wait: nothing does now. EPIPE: the reply has failed.
  wasi::Io<std::size_t> write(wasi::IoContext& io, wasi::ConstBuffers from);

  // Starts to send what is there, if the head is complete and nothing is being sent.
  void send_soon();
  // The same, if it has been there for a while.
  void send_if_due();

  // The guest has ended well: sends the rest. Errors: guest_bad_reply, and those of ReplySink.
  async::Task<Result<void>> finish();

  // What failed so far: a bad head, or a client that is gone.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  bool sending() const { return sending_ && !sending_.done(); }
  bool head_complete() const { return form_ == ReplyForm::plain || head_.has_value(); }
  void look_for_head();
  net::ReplyHead take_head();
  async::Task<void> send_pending();

  net::ReplySink& reply_;
  ReplyForm form_;
  std::string pending_;
  Instant pending_since_{};
  std::size_t searched_ = 0;
  std::optional<net::ReplyHead> head_;
  std::optional<Error> failure_;
  async::Task<void> sending_;  // last: goes first
};

}  // namespace carrel::abi::command
