#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace carrel {
namespace {

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

}  // namespace

Result<std::string> read_file(const std::filesystem::path& file, std::uint64_t max) {
  const Descriptor in{open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (in.fd < 0) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    return fail(missing ? Code::not_found : Code::io, fmt::format("{}: {}", file.string(), std::strerror(errno)));
  }
  struct stat status {};
  if (fstat(in.fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    return fail(Code::invalid_argument, fmt::format("{} is not a regular file", file.string()));
  }
  std::string content;
  content.resize(static_cast<std::size_t>(status.st_size) + 1);  // one more, to see growth
  std::size_t size = 0;
  while (size <= max) {
    if (size == content.size()) content.resize(content.size() * 2);
    const ssize_t n = read(in.fd, content.data() + size, content.size() - size);
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
