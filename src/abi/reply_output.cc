#include "abi/reply_output.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/parser.h"

namespace carrel::abi {
namespace {

constexpr std::size_t kMaxPending = 64 << 10;
constexpr std::size_t kMostAtOnce = 256 << 10;  // so that a host call is short
constexpr auto kPatience = std::chrono::milliseconds(10);

}  // namespace

void ReplyOutput::give_head(net::ReplyHead head) {
  if (head.status < 200 || head.status > 599) {
    failure_.emplace(Code::guest_bad_reply, fmt::format("{} is not a final status", head.status));
    return;
  }
  head_ = std::move(head);
}

void ReplyOutput::give_trailers(net::Fields trailers) {
  for (const auto& [name, value] : trailers) {
    if (!net::is_field_name(name) || !net::is_field_value(value)) {
      failure_.emplace(Code::guest_bad_reply, "a trailer of the reply is not valid");
    } else if (!net::may_be_trailer(name)) {
      failure_.emplace(Code::guest_bad_reply, fmt::format("{} may not be a trailer", name),
                       "make it a header");
    }
  }
  trailers_ = std::move(trailers);
}

wasi::Io<std::size_t> ReplyOutput::write(wasi::IoContext& io, wasi::ConstBuffers from) {
  if (failure_) return wasi::fail(wasi::Errno::pipe);
  if (release_ == Release::after_commit && head_complete()) return hold(from);
  if (pending_.size() >= kMaxPending) {
    send_soon();
    if (failure_) return wasi::fail(wasi::Errno::pipe);
    if (sending()) {
      io.wait_for(async::SharedTask::end_of(&sending_));
      return wasi::fail(wasi::Errno::again);
    }
  }
  if (pending_.empty()) pending_since_ = std::chrono::steady_clock::now();
  std::size_t taken = 0;
  for (const auto& buffer : from) {
    const std::size_t n = std::min(buffer.size(), kMaxPending + kMaxHead - pending_.size());
    pending_.append(reinterpret_cast<const char*>(buffer.data()), n);
    taken += n;
    if (n < buffer.size()) break;
  }
  look_for_head();
  if (release_ == Release::after_commit && head_complete()) hold(std::exchange(pending_, {}));
  if (failure_) return wasi::fail(wasi::Errno::pipe);
  return taken;
}

wasi::Io<std::size_t> ReplyOutput::hold(wasi::ConstBuffers from) {
  std::size_t taken = 0;
  for (const auto& buffer : from) {
    const std::size_t n = std::min(buffer.size(), kMostAtOnce - taken);
    hold(std::string_view(reinterpret_cast<const char*>(buffer.data()), n));
    if (failure_) return wasi::fail(wasi::Errno::pipe);
    taken += n;
    if (n < buffer.size()) break;
  }
  return taken;
}

void ReplyOutput::hold(std::string_view bytes) {
  if (held_.size() + bytes.size() > turn::kHeldAtMost) {
    failure_.emplace(Code::guest_bad_reply,
                     fmt::format("a reply of more than {} MiB cannot be held until the commit",
                                 turn::kHeldAtMost >> 20),
                     "a module without write grants streams its reply");
    return;
  }
  if (auto kept = held_.append(bytes); !kept) failure_ = std::move(kept).error();
}

void ReplyOutput::look_for_head() {
  if (head_complete() || form_ == ReplyForm::given) return;
  const auto end = find_head_end(pending_, searched_);
  if (!end) {
    searched_ = pending_.size();
    if (pending_.size() > kMaxHead) {
      failure_.emplace(Code::guest_bad_reply,
                       fmt::format("no end of the headers within {} bytes", kMaxHead));
    }
    return;
  }
  auto head = parse_head(std::string_view(pending_).substr(0, end->head));
  if (!head) {
    failure_ = std::move(head).error();
    return;
  }
  head_ = std::move(*head);
  pending_.erase(0, end->body);
}

net::ReplyHead ReplyOutput::take_head() {
  return form_ == ReplyForm::plain ? net::ReplyHead() : std::move(*head_);
}

void ReplyOutput::send_if_due() {
  if (std::chrono::steady_clock::now() - pending_since_ >= kPatience) send_soon();
}

void ReplyOutput::send_soon() {
  if (sending() || failure_ || !head_complete() || release_ == Release::after_commit) return;
  if (pending_.empty() && (reply_.started() || !head_)) return;
  sending_.begin(send_pending());
}

async::Task<void> ReplyOutput::send_pending() {
  Result<void> result;
  if (release_ == Release::when_durable) {
    result = co_await state_->services.gate->wait(state_->transaction.seen());
  }
  if (result && !reply_.started()) {
    net::ReplyHead head = take_head();
    result = co_await reply_.start(std::move(head), std::nullopt);
  }
  if (result && !pending_.empty()) {
    const std::string bytes = std::exchange(pending_, {});
    result = co_await reply_.write(bytes);
  }
  if (!result) failure_ = std::move(result).error();
}

Result<void> ReplyOutput::check_head() const {
  if (failure_) return std::unexpected(*failure_);
  if (head_complete()) return {};
  return fail(Code::guest_bad_reply, pending_.empty() ? "the guest printed nothing"
                                                      : "the guest ended before its headers did");
}

Result<turn::HeldReply> ReplyOutput::take_held() {
  CARREL_TRY_VOID(check_head());
  return turn::HeldReply{
      .head = take_head(), .body = std::move(held_), .trailers = std::move(trailers_)};
}

async::Task<Result<void>> ReplyOutput::finish() {
  if (sending()) co_await async::SharedTask::end_of(&sending_);
  CARREL_CO_TRY_VOID(check_head());
  if (!trailers_.empty()) reply_.give_trailers(trailers_);
  if (!reply_.started()) {
    net::ReplyHead head = take_head();
    co_return co_await reply_.send(std::move(head), pending_);
  }
  if (!pending_.empty()) CARREL_CO_TRY_VOID(co_await reply_.write(pending_));
  co_return co_await reply_.finish();
}

}  // namespace carrel::abi
