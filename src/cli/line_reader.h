// Lines of a file or pipe, one after the other, none longer than a bound.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/result.h"

namespace carrel::cli {

// Owner and thread: the command's.
class LineReader {
 public:
  // `fd` outlives it.
  LineReader(int fd, std::size_t longest) : fd_(fd), longest_(longest) {}

  // Blocks. Without the end of the line; nothing: there is none any more. Errors: io,
  // invalid_argument for a line that is too long, with its number.
  Result<std::optional<std::string>> next();

 private:
  int fd_;
  std::size_t longest_;
  std::size_t line_ = 0;
  std::string buffer_;
  std::size_t at_ = 0;  // what comes before has been given
  bool ended_ = false;
};

}  // namespace carrel::cli
