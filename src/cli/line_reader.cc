#include "cli/line_reader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace carrel::cli {

Result<std::optional<std::string>> LineReader::next() {
  ++line_;
  std::size_t looked = at_;
  while (true) {
    const std::size_t end = buffer_.find('\n', looked);
    if (end != std::string::npos || (ended_ && at_ < buffer_.size())) {
      const std::size_t size = (end == std::string::npos ? buffer_.size() : end) - at_;
      std::string line = buffer_.substr(at_, size);
      at_ += end == std::string::npos ? size : size + 1;
      return line;
    }
    if (ended_) return std::nullopt;
    buffer_.erase(0, at_);
    at_ = 0;
    looked = buffer_.size();
    if (buffer_.size() > longest_) {
      return fail(Code::invalid_argument,
                  fmt::format("line {}: it has more than {} bytes", line_, longest_),
                  "see that it is an export, one record a line");
    }
    std::array<char, 64 << 10> piece;
    const ssize_t n = ::read(fd_, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Code::io, fmt::format("cannot read: {}", std::strerror(errno)));
    ended_ = n == 0;
    buffer_.append(piece.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace carrel::cli
