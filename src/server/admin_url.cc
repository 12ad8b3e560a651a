#include "server/admin_url.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace carrel::server {

// Linked into place whole, so that who reads it never sees half a line.
Result<AdminUrl> AdminUrl::write(std::filesystem::path file, std::string_view url) {
  const std::string draft = file.string() + ".new";
  const std::string line = fmt::format("{}\n", url);
  ::unlink(draft.c_str());
  Fd out(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  // Where there are no locks, readers get none either, and believe it.
  if (out) (void)::flock(out.get(), LOCK_EX | LOCK_NB);
  const bool written =
      out && ::write(out.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
      ::rename(draft.c_str(), file.c_str()) == 0;
  if (!written) {
    return fail(Code::io, fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)),
                "check the state folder (--state DIR) and who owns it");
  }
  return AdminUrl(std::move(file), std::move(out));
}

Result<std::string> AdminUrl::read(const std::filesystem::path& file) {
  const Fd in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!in && errno != ENOENT) {
    return fail(Code::io, fmt::format("cannot read {}: {}", file.string(), std::strerror(errno)),
                "check the state folder (--state DIR) and who owns it");
  }
  if (!in || ::flock(in.get(), LOCK_SH | LOCK_NB) == 0) {
    return fail(Code::unavailable,
                fmt::format("no server runs that has written {}", file.string()));
  }
  std::array<char, 4 << 10> line;
  const ssize_t n = ::read(in.get(), line.data(), line.size());
  std::string_view url(line.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  return std::string(url.substr(0, url.find('\n')));
}

AdminUrl::AdminUrl(AdminUrl&& other) noexcept
    : file_(std::exchange(other.file_, {})), locked_(std::move(other.locked_)) {}

AdminUrl& AdminUrl::operator=(AdminUrl&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(locked_, other.locked_);
  return *this;
}

AdminUrl::~AdminUrl() {
  if (!file_.empty()) ::unlink(file_.c_str());
}

}  // namespace carrel::server
