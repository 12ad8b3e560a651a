#include "net/channel.h"

#include <sys/epoll.h>

#include <array>
#include <utility>

namespace carrel::net {

void Channel::wake(Slot& slot) {
  if (auto waiter = std::exchange(slot, Slot{}).waiter) waiter.resume();
}

IoResult Channel::read(std::span<char> into) {
  if (!readable_) return {IoState::would_block};
  const IoResult result = transport_->read(into);
  if (result.state == IoState::done) {
    bytes_in_ += result.bytes;
    // After the peer's end there is the end itself to read.
    if (result.bytes < into.size() && transport_->short_read_means_empty() && !peer_closed_)
      readable_ = false;
  } else {
    readable_ = result.state == IoState::closed;
  }
  return result;
}

void Channel::count_sent(std::size_t bytes, std::string_view& body) {
  bytes_out_ += bytes;
  const std::size_t of_output = std::min(bytes, output_.size() - output_sent_);
  output_sent_ += of_output;
  body.remove_prefix(bytes - of_output);
  if (output_sent_ < output_.size()) return;
  output_.clear();
  output_sent_ = 0;
}

Result<bool> Channel::try_send(std::string_view& body) {
  while (!broken_) {
    if (output_.empty() && body.empty()) {
      stalled_at_ = kNever;
      return true;
    }
    const std::array<iovec, 2> parts = {
        iovec{output_.data() + output_sent_, output_.size() - output_sent_},
        iovec{const_cast<char*>(body.data()), body.size()},
    };
    const IoResult result = transport_->write(parts);
    if (result.state == IoState::done) {
      count_sent(result.bytes, body);
      if (stalled_at_ != kNever) stalled_at_ = tick_.now + write_pause_;
    } else if (result.state == IoState::would_block) {
      if (stalled_at_ == kNever) stalled_at_ = tick_.now + write_pause_;
      return false;
    } else {
      broken_ = true;
    }
  }
  stalled_at_ = kNever;
  return fail(Code::connection_closed, "the client closed the connection");
}

async::Task<Result<void>> Channel::send(std::string_view body) {
  while (true) {
    CARREL_CO_TRY(const bool all, try_send(body));
    if (all) co_return Result<void>();
    co_await Wait(*this, writer_, kNever);
    if (!broken_ && tick_.now >= stalled_at_) {
      broken_ = true;
      co_return fail(Code::request_timeout, "the client does not read the reply");
    }
  }
}

void Channel::flush() {
  if (writer_.waiter) return;  // who sends goes on itself
  std::string_view nothing;
  if (try_send(nothing)) return;
  peer_closed_ = true;
  owner_.peer_closed();
}

void Channel::on_ready(std::uint32_t events) {
  constexpr std::uint32_t kBroken = EPOLLHUP | EPOLLERR;
  if ((events & (EPOLLIN | EPOLLRDHUP | kBroken)) != 0) readable_ = true;
  if ((events & (EPOLLRDHUP | kBroken)) != 0) peer_closed_ = true;
  if ((events & kBroken) != 0) broken_ = true;
  if (writer_.waiter) {
    wake(writer_);
  } else if (output_blocked()) {
    flush();
  }
  if (peer_closed_) owner_.peer_closed();
  if (readable_) wake(reader_);
}

void Channel::check_deadlines() {
  if (tick_.now >= stalled_at_) {
    if (writer_.waiter) {
      wake(writer_);
    } else {
      broken_ = peer_closed_ = true;
      stalled_at_ = kNever;
    }
  }
  if (peer_closed_) owner_.peer_closed();
  if (tick_.now >= reader_.until) wake(reader_);
}

}  // namespace carrel::net
