#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/fd.h"

namespace carrel {

Result<std::string> read_file(const std::filesystem::path& file, std::uint64_t max) {
  const Fd in(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!in) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    return fail(missing ? Code::not_found : Code::io,
                fmt::format("{}: {}", file.string(), std::strerror(errno)));
  }
  struct stat status{};
  if (fstat(in.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return fail(Code::invalid_argument, fmt::format("{} is not a regular file", file.string()));
  }
  std::string content;
  // One more, to see growth. A file may claim any size, and hold nothing.
  content.resize(std::min(static_cast<std::uint64_t>(status.st_size), max) + 1);
  std::size_t size = 0;
  while (size <= max) {
    if (size == content.size()) content.resize(content.size() * 2);
    const ssize_t n = read(in.get(), content.data() + size, content.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Code::io, fmt::format("{}: {}", file.string(), std::strerror(errno)));
    if (n == 0) {
      content.resize(size);
      return content;
    }
    size += static_cast<std::size_t>(n);
  }
  return fail(Code::invalid_argument, fmt::format("{} has more than {} bytes", file.string(), max));
}

}  // namespace carrel
