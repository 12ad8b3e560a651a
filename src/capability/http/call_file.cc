#include "capability/http/call_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/first_of.h"
#include "capability/http/grant.h"
#include "capability/http/message.h"
#include "turn/state.h"

namespace carrel::capability::http {
namespace {

using wasi::Errno;
using wasi::Io;

constexpr std::size_t kMostAtOnce = 256 << 10;  // so that a host call is short

async::Task<void> until_room_or_done(BodyPipe* pipe, async::SharedTask* step) {
  co_await async::first_of(pipe->until_room(), async::SharedTask::end_of(step));
}

async::Task<void> pass(turn::OutputGate* gate, store::Version seen,
                       std::shared_ptr<std::optional<Error>> failure) {
  auto passed = co_await gate->wait(seen);
  if (!passed) *failure = std::move(passed).error();
}

async::Task<void> until_rung(async::Bell* bell) { co_await *bell; }

std::string lines_of(const net::Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) text += fmt::format("{}: {}\r\n", name, value);
  return text;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Lets the other side see that a call it has had already comes again.
void offer_key(const turn::State& state, net::OutgoingRequest& request) {
  constexpr std::string_view kHeader = "Idempotency-Key";
  const auto is_key = [&](const auto& header) { return net::same_name(header.first, kHeader); };
  if (state.key.empty() || std::ranges::any_of(request.headers, is_key)) return;
  request.headers.emplace_back(kHeader, fmt::format("{}-{}", state.key, state.calls.count()));
}

}  // namespace

Io<std::size_t> CallFile::write(wasi::IoContext& io, wasi::ConstBuffers from) {
  if (begun_ || ended_) return wasi::fail(Errno::pipe);
  if (!streamed_ && message_.size() == kMostWhole) {
    if (auto begun = begin_stream(io); !begun) return wasi::fail(begun.error());
  }
  if (streamed_) return write_on(io, from);
  std::size_t size = 0;
  for (const auto& buffer : from) size += buffer.size();
  size = std::min(size, kMostWhole - message_.size());
  if (!io.charge_memory(static_cast<std::int64_t>(size))) return wasi::fail(Errno::dquot);
  const std::size_t end = message_.size() + size;
  for (const auto& buffer : from) message_ += text_of(buffer).substr(0, end - message_.size());
  return size;
}

// What nobody wants any more, because the other side has answered or the call has failed, is
// dropped: a run must not depend on when that was.
Io<std::size_t> CallFile::write_on(wasi::IoContext& io, wasi::ConstBuffers from) {
  if (somebody_reads() && !may_leave(io)) return wasi::fail(Errno::again);
  if (somebody_reads() && pipe_->room() == 0) {
    io.wait_for(until_room_or_done(pipe_.get(), &step_));
    return wasi::fail(Errno::again);
  }
  const std::size_t room = somebody_reads() ? pipe_->room() : kMostAtOnce;
  std::size_t taken = 0;
  for (const auto& buffer : from) {
    const std::string_view bytes = text_of(buffer).substr(0, room - taken);
    taken += body_ ? take(bytes) : bytes.size();
    if (ended_) break;
  }
  return taken;
}

// What the turn has read is durable before a piece leaves, as before the request does.
bool CallFile::may_leave(wasi::IoContext& io) {
  if (turn_.module.sync != store::Sync::always) return true;
  turn::OutputGate& gate = *turn_.state->services.gate;
  const store::Version seen = turn_.state->transaction.seen();
  if (gate.open_for(seen)) return true;
  if (*gate_failure_) {
    step_.put_away();
    fail_with(failure_of(**gate_failure_), name_of(call_->request));
    return true;
  }
  io.wait_for(pass(&gate, seen, gate_failure_));
  return false;
}

// Bytes that were used: all but those behind a body's end.
std::size_t CallFile::take(std::string_view written) {
  std::string decoded;
  if (body_->in_chunks()) {
    const std::size_t used = body_->take(written, decoded);
    take_body(decoded);
    if (ended_) return written.size();
    if (body_->ended()) end_stream(End::whole);
    if (body_->malformed()) refuse_chunks();
    return used;
  }
  take_body(written);
  return written.size();
}

void CallFile::take_body(std::string_view piece) {
  const bool cuts = recorded_ != nullptr && recorded_->cut;
  if (cuts) piece = piece.substr(0, *recorded_->cut - written_);
  streamed_->add(piece);
  written_ += piece.size();
  if (somebody_reads()) pipe_->write(piece);  // a write may end who reads
  if (cuts && written_ == *recorded_->cut) end_stream(End::cut);
}

// The message's head is there, and what there is of its body.
Io<void> CallFile::begin_stream(wasi::IoContext& io) {
  if (!has_head(message_)) return wasi::fail(Errno::fbig);
  auto request = check();
  if (request) return stream(io, std::move(*request));
  streamed_.emplace();
  return {};
}

Io<void> CallFile::stream(wasi::IoContext& io, net::OutgoingRequest request) {
  if (!io.charge_memory(BodyPipe::kMost)) return wasi::fail(Errno::dquot);
  turn::CallRecord& calls = turn_.state->calls;
  streamed_.emplace();
  if (calls.diverged()) {
    error_ = Errno::io;
    return {};
  }
  const auto length = length_of(request);
  if (!length) {
    fail_with(failure_of(length.error()), name_of(request));
    return {};
  }
  const std::string body = std::exchange(request.body, {});
  streamed_->add(std::string_view(message_).substr(0, message_.size() - body.size()));
  message_ = {};
  body_.emplace(has_chunks(request));
  recorded_ = calls.next();
  if (recorded_ == nullptr) {
    pipe_ = std::make_unique<BodyPipe>(turn_.state->services.store->shard());
    request.stream =
        net::StreamedBody{.source = pipe_.get(), .length = *length, .trailers = &trailers_};
    begin_call(std::move(request), "");
  }
  take(body);
  return {};
}

Io<void> CallFile::sync(wasi::IoContext& io) {
  if (begun_ || streamed_) return {};
  auto begun = begin_stream(io);
  return begun || begun.error() != Errno::fbig ? begun : wasi::fail(Errno::inval);
}

Io<std::size_t> CallFile::read(wasi::IoContext& io, wasi::Buffers into) {
  if (auto begun = begin(io); !begun) return wasi::fail(begun.error());
  if (std::ranges::all_of(into, [](const auto& buffer) { return buffer.empty(); })) return 0;
  while (ready()) {
    const std::size_t copied = answer_.read(into);
    if (copied > 0) return copied;
    if (error_ != Errno::success) return wasi::fail(error_);
    if (answer_.over()) return 0;
  }
  io.wait_for(async::SharedTask::end_of(&step_));
  return wasi::fail(Errno::again);
}

Io<std::uint64_t> CallFile::readable(wasi::IoContext& io) {
  if (auto begun = begin(io); !begun) return wasi::fail(begun.error());
  if (ready()) return 1;
  io.wait_for(async::SharedTask::end_of(&step_));
  return wasi::fail(Errno::again);
}

Io<std::uint64_t> CallFile::writable(wasi::IoContext& io) {
  if (begun_ || ended_) return 0;
  if (!somebody_reads()) return kMostAtOnce;
  if (pipe_->room() > 0) return pipe_->room();
  io.wait_for(until_room_or_done(pipe_.get(), &step_));
  return wasi::fail(Errno::again);
}

Io<void> CallFile::close(wasi::IoContext&) {
  if (!begun_ && streamed_ && pipe_) {
    log_failure(
        turn_, name_of(call_->request),
        Error(Code::invalid_argument, "it was broken off: closed before its response was read",
              "a request has ended when its response is read"));
  } else if (!begun_ && !message_.empty()) {
    log_failure(turn_, "a request",
                Error(Code::invalid_argument, "it was written, but not sent",
                      "a call is made when its response is read"));
  }
  return {};
}

// Nothing: it has failed.
std::optional<net::OutgoingRequest> CallFile::check() {
  auto request = read_request(message_);
  if (!request) {
    fail_with(failure_of(std::move(request).error()), "a request");
    return {};
  }
  if (!permits(turn_.module.grants.http, request->method, request->url)) {
    fail_with(not_granted(*request), name_of(*request));
    return {};
  }
  if (turn_.state->services.client == nullptr) {
    fail_with({.number = Errno::netdown,
               .error = Error(Code::unavailable, "this process makes no calls",
                              "`carrel serve`, `carrel dev` and `carrel invoke` make calls")},
              name_of(*request));
    return {};
  }
  return std::move(*request);
}

// The response is wanted, so a message ends here but for chunks. Everything before `replay` comes
// out the same in every run.
Io<void> CallFile::begin(wasi::IoContext& io) {
  if (begun_) return {};
  if (!streamed_) {
    auto request = check();
    if (!request || send_if_whole(*request)) {
      begun_ = true;
      return {};
    }
    CARREL_TRY_VOID(stream(io, std::move(*request)));
  }
  const bool open = is_open();
  if (open && error_ == Errno::success && (pipe_ == nullptr || step_.running())) {
    io.wait_for(pipe_ ? async::SharedTask::end_of(&step_) : until_rung(&told_));
    return wasi::fail(Errno::again);
  }
  begun_ = true;
  if (!ended_) end_stream(open ? End::cut : End::whole);
  return {};
}

// False: it is in chunks, and they do not end, or not well.
bool CallFile::send_if_whole(net::OutgoingRequest& request) {
  Sha256 digest;
  digest.add(std::string_view(message_).substr(0, message_.size() - request.body.size()));
  if (has_chunks(request)) {
    WrittenBody written(true);
    std::string body;
    written.take(request.body, body);
    if (!written.ended()) return false;
    request.body = std::move(body);
    request.trailers = written.trailers();
  }
  send_whole(std::move(request), std::move(digest));
  return true;
}

void CallFile::send_whole(net::OutgoingRequest request, Sha256 head) {
  turn::CallRecord& calls = turn_.state->calls;
  if (calls.diverged()) return diverge();
  const auto recorded = calls.next();
  if (recorded != nullptr && recorded->cut) {
    head.add(std::string_view(request.body).substr(0, *recorded->cut));
  } else {
    head.add(request.body);
    head.add(lines_of(request.trailers));
  }
  std::string digest = head.hex();
  if (recorded == nullptr) return begin_call(std::move(request), std::move(digest));
  if (recorded->request != digest) return diverge();
  replay(recorded);
}

// Nothing more of a streamed message is wanted.
void CallFile::end_stream(End end) {
  ended_ = true;
  if (end == End::whole && body_) {
    trailers_ = body_->trailers();
    streamed_->add(lines_of(trailers_));
  }
  std::string digest = streamed_->hex();
  if (pipe_) {
    record_->request = std::move(digest);
    if (end == End::cut) record_->cut = written_;
    return pipe_->end();
  }
  if (recorded_ == nullptr) return;
  if (recorded_->request == digest) {
    replay(recorded_);
  } else {
    diverge();
  }
  told_.ring();
}

void CallFile::refuse_chunks() {
  step_.put_away();
  end_stream(End::cut);
  fail_with({.number = Errno::proto,
             .error = Error(Code::invalid_argument,
                            "its body is not in chunks that end well, or has a trailer that may "
                            "not be one",
                            "what frames a message, routes it, proves who sent it or says how its "
                            "content is read is a header")},
            call_ ? name_of(call_->request) : "a request");
}

// The turn ends as a conflict, whatever the guest does now.
void CallFile::diverge() {
  turn_.state->calls.diverge();
  error_ = Errno::io;
}

void CallFile::replay(std::shared_ptr<const turn::RecordedCall> recorded) {
  if (recorded->failed) error_ = static_cast<Errno>(recorded->failure);
  answer_.replay(std::move(recorded));
}

void CallFile::begin_call(net::OutgoingRequest request, std::string digest) {
  offer_key(*turn_.state, request);
  record_ = turn_.state->calls.begin(std::move(digest));
  answer_.record(record_);
  message_ = {};
  call_ = std::make_unique<Call>(Call{.turn = turn_, .request = std::move(request)});
  step_.begin(make(call_.get()));
}

void CallFile::fail_with(const Failure& failure, std::string_view what) {
  error_ = failure.number;
  log_failure(turn_, what, failure.error);
  answer_.fail(failure.number);
}

// Whether a read would have bytes, the end or an error; else `step_` is on its way.
bool CallFile::ready() {
  while (true) {
    if (step_) {
      if (!step_.done()) return false;
      take_step();
    }
    if (!call_ || error_ != Errno::success || answer_.has_text()) return true;
    const async::ByteSource& body = call_->response->body();
    if (body.ready() || body.finished()) return true;
    step_.begin(receive(call_.get()));
  }
}

void CallFile::take_step() {
  step_.put_away();
  if (call_->failure) return fail_with(*call_->failure, name_of(call_->request));
  answer_.arrive(call_->request, *call_->response);
}

}  // namespace carrel::capability::http
