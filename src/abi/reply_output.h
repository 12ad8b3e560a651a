// A command's standard output as the reply to its event.
//
// What the guest writes is kept until it has to go. A guest that ends soon has its reply sent
// whole, with its length, and a failure can still be told by a status. Once the head is complete, a
// guest that waits has what it wrote sent at once, and one that computes within ten milliseconds. A
// guest that writes faster than the client reads waits for the client.
//
// What the guest has seen of the store must be durable before anything leaves. A gated turn's reply
// does not leave at all: it is held for whoever commits the turn.
#pragma once

#include <optional>
#include <string>

#include "abi/cgi_reply.h"
#include "async/shared_task.h"
#include "base/clock.h"
#include "net/http.h"
#include "turn/held_reply.h"
#include "turn/state.h"
#include "wasi/node.h"

namespace carrel::abi {

enum class ReplyForm : std::uint8_t {
  cgi,
  plain,  // no head, for events that are not requests
  given,  // the head comes by `give_head`, before the body
};

// When output may leave.
enum class Release : std::uint8_t {
  at_once,
  when_durable,  // what the turn's state has read
  after_commit   // held
};

// Owner: the turn's frame. Thread: its shard. Stops: destruction cancels a sending in progress.
class ReplyOutput {
 public:
  // `state`: the turn's, for `when_durable`; outlives what is sent.
  ReplyOutput(net::ReplySink& reply, ReplyForm form, Release release = Release::at_once,
              const turn::State* state = nullptr)
      : reply_(reply), form_(form), release_(release), state_(state) {}
  ReplyOutput(const ReplyOutput&) = delete;
  ReplyOutput& operator=(const ReplyOutput&) = delete;

  // The head, for ReplyForm::given. Errors are the reply's: `failure`.
  void give_head(net::ReplyHead head);

  // What follows the body, before the guest has ended. A field that may not is the reply's failure.
  void give_trailers(net::Fields trailers);

  // Takes what fits. EAGAIN with a wait: nothing does now. EPIPE: the reply has failed.
  wasi::Io<std::size_t> write(wasi::IoContext& io, wasi::ConstBuffers from);

  // Starts to send what is there, if the head is complete and nothing is being sent.
  void send_soon();
  // The same, if it has been there for a while.
  void send_if_due();

  // The guest has ended well: sends the rest. Errors: guest_bad_reply, and those of ReplySink.
  async::Task<Result<void>> finish();

  // The guest has ended well: the whole reply, if it is held. Errors: guest_bad_reply.
  Result<turn::HeldReply> take_held();

  // What failed so far: a bad head, or a client that is gone.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  bool sending() const { return sending_.running(); }
  bool head_complete() const { return form_ == ReplyForm::plain || head_.has_value(); }
  Result<void> check_head() const;
  void look_for_head();
  wasi::Io<std::size_t> hold(wasi::ConstBuffers from);
  void hold(std::string_view bytes);
  net::ReplyHead take_head();
  async::Task<void> send_pending();

  net::ReplySink& reply_;
  ReplyForm form_;
  Release release_;
  const turn::State* state_;
  SpillBuffer held_{turn::kHeldInMemory, {}};
  std::string pending_;
  Instant pending_since_{};
  std::size_t searched_ = 0;
  std::optional<net::ReplyHead> head_;
  net::Fields trailers_;
  std::optional<Error> failure_;
  async::SharedTask sending_;  // last: goes first
};

}  // namespace carrel::abi
