#include "capability/http/call_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <coroutine>
#include <utility>

#include "capability/http/grant.h"
#include "capability/http/message.h"
#include "turn/state.h"

namespace carrel::capability::http {
namespace {

using wasi::Errno;
using wasi::Io;

// Waits for a task that its owner has started. Giving up the wait leaves the task alone, so that a
// guest that polls does not cancel its call.
class EndOf {
 public:
  explicit EndOf(async::Task<void>& task) : task_(task) {}
  EndOf(const EndOf&) = delete;
  EndOf& operator=(const EndOf&) = delete;
  ~EndOf() {
    if (waiting_) task_.continue_with(std::noop_coroutine());
  }
  bool await_ready() const noexcept { return task_.done(); }
  void await_suspend(std::coroutine_handle<> caller) noexcept {
    task_.continue_with(caller);
    waiting_ = true;
  }
  void await_resume() noexcept { waiting_ = false; }

 private:
  async::Task<void>& task_;
  bool waiting_ = false;
};

async::Task<void> until_done(async::Task<void>* task) { co_await EndOf(*task); }

// Lets the other side see that a call it has had already comes again.
void offer_key(const turn::State& state, net::OutgoingRequest& request) {
  constexpr std::string_view kHeader = "Idempotency-Key";
  const auto is_key = [&](const auto& header) { return net::same_name(header.first, kHeader); };
  if (state.key.empty() || std::ranges::any_of(request.headers, is_key)) return;
  request.headers.emplace_back(kHeader, fmt::format("{}-{}", state.key, state.calls.count()));
}

}  // namespace

wasi::FileStat call_stat() { return {.inode = 2, .type = wasi::FileType::character}; }

Io<std::size_t> CallFile::write(wasi::IoContext& io, wasi::ConstBuffers from) {
  if (begun_) return wasi::fail(Errno::pipe);
  std::size_t size = 0;
  for (const auto& buffer : from) size += buffer.size();
  if (size > kMaxRequest - message_.size()) return wasi::fail(Errno::fbig);
  if (!io.charge_memory(static_cast<std::int64_t>(size))) return wasi::fail(Errno::dquot);
  for (const auto& buffer : from) {
    message_.append(reinterpret_cast<const char*>(buffer.data()), buffer.size());
  }
  return size;
}

Io<std::size_t> CallFile::read(wasi::IoContext& io, wasi::Buffers into) {
  if (!begun_) begin();
  if (std::ranges::all_of(into, [](const auto& buffer) { return buffer.empty(); })) return 0;
  while (ready()) {
    const std::size_t copied = answer_.read(into);
    if (copied > 0) return copied;
    if (error_ != Errno::success) return wasi::fail(error_);
    if (answer_.over()) return 0;
  }
  io.wait_for(until_done(&step_));
  return wasi::fail(Errno::again);
}

Io<std::uint64_t> CallFile::readable(wasi::IoContext& io) {
  if (!begun_) begin();
  if (ready()) return 1;
  io.wait_for(until_done(&step_));
  return wasi::fail(Errno::again);
}

Io<std::uint64_t> CallFile::writable(wasi::IoContext&) {
  return begun_ ? 0 : kMaxRequest - message_.size();
}

Io<void> CallFile::close(wasi::IoContext&) {
  if (!begun_ && !message_.empty()) {
    log_failure(turn_, "a request",
                Error(Code::invalid_argument, "it was written, but not sent",
                      "a call is made when its response is read"));
  }
  return {};
}

// From here on the message is whole. Everything before `replay` comes out the same in every run.
void CallFile::begin() {
  begun_ = true;
  auto request = read_request(message_);
  if (!request) return fail_with(failure_of(std::move(request).error()), "a request");
  if (!permits(turn_.module.grants.http, request->method, request->url)) {
    return fail_with(not_granted(*request), name_of(*request));
  }
  if (turn_.state->services.client == nullptr) {
    return fail_with(
        {.number = Errno::netdown,
         .error = Error(Code::unavailable, "this process makes no calls",
                        "`carrel serve`, `carrel dev` and `carrel invoke` make calls")},
        name_of(*request));
  }
  turn::CallRecord& calls = turn_.state->calls;
  const auto recorded = calls.diverged() ? nullptr : calls.replay(message_);
  if (calls.diverged()) {
    error_ = Errno::io;  // the turn ends as a conflict, whatever the guest does now
    return;
  }
  if (recorded == nullptr) return begin_call(std::move(*request));
  answer_.replay(recorded);
  if (recorded->failed) error_ = static_cast<Errno>(recorded->failure);
}

void CallFile::begin_call(net::OutgoingRequest request) {
  offer_key(*turn_.state, request);
  answer_.record(turn_.state->calls.begin(std::exchange(message_, {})));
  call_ = std::make_unique<Call>(Call{.turn = turn_, .request = std::move(request)});
  step_ = make(call_.get());
  step_.start();
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
    step_ = receive(call_.get());
    step_.start();
  }
}

void CallFile::take_step() {
  step_ = {};
  if (call_->failure) return fail_with(*call_->failure, name_of(call_->request));
  answer_.arrive(call_->request, *call_->response);
}

}  // namespace carrel::capability::http
