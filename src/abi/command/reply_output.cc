#include "abi/command/reply_output.h"

#include <fmt/format.h>

#include <algorithm>

#include "async/join.h"

namespace carrel::abi::command {
namespace {

constexpr std::size_t kMaxPending = 64 << 10;
constexpr auto kPatience = std::chrono::milliseconds(10);

}  // namespace

wasi::Io<std::size_t> ReplyOutput::write(wasi::IoContext& io, wasi::ConstBuffers from) {
  if (failure_) return wasi::fail(wasi::Errno::pipe);
  if (pending_.size() >= kMaxPending) {
    send_soon();
    if (failure_) return wasi::fail(wasi::Errno::pipe);
    if (sending()) {
      io.wait_for(async::join(sending_));
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
  if (failure_) return wasi::fail(wasi::Errno::pipe);
  return taken;
}

void ReplyOutput::look_for_head() {
  if (head_complete()) return;
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
  if (sending() || failure_ || !head_complete()) return;
  if (pending_.empty() && (reply_.started() || !head_)) return;
  sending_ = send_pending();
  sending_.start();
}

async::Task<void> ReplyOutput::send_pending() {
  Result<void> result;
  if (!reply_.started()) {
    net::ReplyHead head = take_head();
    result = co_await reply_.start(std::move(head), std::nullopt);
  }
  if (result && !pending_.empty()) {
    const std::string bytes = std::exchange(pending_, {});
    result = co_await reply_.write(bytes);
  }
  if (!result) failure_ = std::move(result).error();
}

async::Task<Result<void>> ReplyOutput::finish() {
  if (sending()) co_await async::join(sending_);
  if (failure_) co_return std::unexpected(*failure_);
  if (!head_complete()) {
    co_return fail(Code::guest_bad_reply, pending_.empty()
                                              ? "the guest printed nothing"
                                              : "the guest ended before its headers did");
  }
  if (!reply_.started()) {
    net::ReplyHead head = take_head();
    co_return co_await reply_.send(std::move(head), pending_);
  }
  if (!pending_.empty()) CARREL_CO_TRY_VOID(co_await reply_.write(pending_));
  co_return co_await reply_.finish();
}

}  // namespace carrel::abi::command
