#include "net/body.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace carrel::net {
namespace {

constexpr std::uint64_t kWorthSkipping = 64 << 10;

}  // namespace

void Body::begin(Request& request, const Framing& framing) {
  request_ = &request;
  request.trailers.clear();
  chunked_ = framing.chunked;
  continue_pending_ = framing.expects_continue;
  asking_ = true;
  left_ = chunked_ ? 0 : request.content_length.value_or(0);
  received_ = bytes_ = 0;
  chunks_ = ChunkDecoder();
  failed_.reset();
  if (chunked_) advance();
}

void Body::give_up(Code code, const char* why) {
  if (!failed_) failed_.emplace(code, why);
}

std::size_t Body::available() const {
  return failed_ ? 0 : static_cast<std::size_t>(std::min<std::uint64_t>(raw().size(), left_));
}

// Passes framing until there is data, or nothing more to look at.
void Body::advance() {
  while (left_ == 0 && !chunks_.done() && !failed_ && !raw().empty()) {
    raw().consume(chunks_.skip_framing(raw().view()));
    if (chunks_.failed()) return give_up(Code::bad_request, "the body's chunks are not valid");
    left_ = chunks_.data_left();
    if (left_ > limits_.body_bytes - received_)
      return give_up(Code::body_too_large, "the body is too large");
    received_ += left_;
  }
  if (chunks_.done()) request_->trailers = chunks_.trailers();
}

std::size_t Body::read(std::span<std::byte> into) {
  std::size_t copied = 0;
  while (copied < into.size()) {
    if (available() == 0 && (copied > 0 || fill() != IoState::done || available() == 0)) break;
    const std::size_t n = std::min(available(), into.size() - copied);
    std::memcpy(into.data() + copied, raw().view().data(), n);
    raw().consume(n);
    copied += n;
    left_ -= n;
    bytes_ += n;
    if (!chunked_) continue;
    chunks_.take(n);
    advance();
  }
  return copied;
}

// Precondition: what was received is used up.
IoState Body::fill() {
  if (failed_ || finished()) return IoState::would_block;
  const IoResult result = channel_.read(spare_.room(std::max<std::size_t>(limits_.read_ahead, 1)));
  if (result.state == IoState::closed)
    give_up(Code::connection_closed, "the client closed the connection");
  if (result.state != IoState::done) return result.state;
  spare_.added(result.bytes);
  if (chunked_) advance();
  return IoState::done;
}

void Body::ask() {
  if (unasked() && asking_) {
    channel_.output() += "HTTP/1.1 100 Continue\r\n\r\n";
    std::string_view nothing;
    if (!channel_.try_send(nothing))
      give_up(Code::connection_closed, "the client closed the connection");
  }
  if (asking_) continue_pending_ = false;
}

async::Task<Result<void>> Body::wait() {
  while (!failed_ && !finished() && !ready()) {
    if (fill() != IoState::would_block) continue;
    if (continue_pending_) ask();
    const Channel::Wake wake = co_await channel_.input(channel_.tick().now + limits_.body_pause);
    if (wake == Channel::Wake::expired) give_up(Code::request_timeout, "the body stopped arriving");
  }
  if (failed_) co_return std::unexpected(*failed_);
  co_return Result<void>();
}

bool Body::worth_skipping() const {
  if (failed_ || unasked()) return false;
  return chunked_ || left_ <= kWorthSkipping;
}

async::Task<bool> Body::skip() {
  std::array<std::byte, 4096> dropped;
  std::uint64_t total = 0;
  while (!finished()) {
    total += read(dropped);
    if (failed_ || total > kWorthSkipping) co_return false;
    if (finished() || ready()) continue;
    if (!co_await wait()) co_return false;
  }
  co_return true;
}

}  // namespace carrel::net
