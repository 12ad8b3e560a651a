// Between a guest that writes a request's body and the client that sends it: a little of it, and
// who is faster waits.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "async/bell.h"
#include "async/event.h"
#include "async/pause.h"
#include "async/stream.h"
#include "base/secret_bytes.h"

namespace carrel::capability::http {

// Owner: the open file. Thread: the shard's. One reader; several may wait to write.
class BodyPipe final : public async::ByteSource {
 public:
  static constexpr std::size_t kMost = 64 << 10;  // bytes, but for those it begins with

  explicit BodyPipe(async::Shard& shard) : shard_(shard) {}
  ~BodyPipe() override { wipe(bytes_); }

  std::size_t room() const { return left() < kMost ? kMost - left() : 0; }
  // Precondition: no more than `room()`, or the first ones.
  void write(std::string_view bytes) {
    if (at_ > kMost) bytes_.erase(0, std::exchange(at_, 0));
    bytes_ += bytes;
    filled_.signal();
  }
  // All has been written.
  void end() {
    ended_ = true;
    filled_.signal();
  }
  async::Task<void> until_room() {
    while (room() == 0) {
      co_await drained_;
      co_await async::pause(shard_);  // who writes may end who reads, which runs now
    }
  }

  std::size_t read(std::span<std::byte> into) override {
    const std::size_t n = std::min(into.size(), left());
    std::memcpy(into.data(), bytes_.data() + at_, n);
    at_ += n;
    if (left() == 0) {
      wipe(bytes_);
      std::string().swap(bytes_);  // what it begins with may be large
      at_ = 0;
    }
    if (n > 0) drained_.ring();
    return n;
  }
  bool ready() const override { return left() > 0; }
  bool finished() const override { return ended_ && left() == 0; }
  async::Task<Result<void>> wait() override {
    while (left() == 0 && !ended_) co_await filled_;
    co_return Result<void>();
  }

 private:
  std::size_t left() const { return bytes_.size() - at_; }

  async::Shard& shard_;
  std::string bytes_;
  std::size_t at_ = 0;
  bool ended_ = false;
  async::Event filled_;
  async::Bell drained_;
};

}  // namespace carrel::capability::http
