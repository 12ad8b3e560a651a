#include "turn/kept_body.h"

namespace carrel::turn {

std::size_t KeptBody::read(std::span<std::byte> into) {
  if (at_ < kept_.size()) {
    const std::size_t n = std::min(into.size(), kept_.size() - at_);
    std::memcpy(into.data(), kept_.data() + at_, n);
    at_ += n;
    return n;
  }
  const std::size_t n = source_.read(into);
  if (too_large_ || kept_.size() + n > kMostKept) {
    too_large_ = too_large_ || n > 0;
    kept_ = {};
    at_ = 0;
    return n;
  }
  kept_.append(reinterpret_cast<const char*>(into.data()), n);
  at_ = kept_.size();
  return n;
}

async::Task<Result<void>> KeptBody::wait() {
  if (at_ < kept_.size()) co_return Result<void>();
  co_return co_await source_.wait();
}

bool KeptBody::rewind() {
  at_ = 0;
  return !too_large_;
}

}  // namespace carrel::turn
