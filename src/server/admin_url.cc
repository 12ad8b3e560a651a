#include "server/admin_url.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/fd.h"

namespace carrel::server {

// Linked into place whole, so that who reads it never sees half a line.
Result<AdminUrl> AdminUrl::write(std::filesystem::path file, std::string_view url) {
  const std::string draft = file.string() + ".new";
  const std::string line = fmt::format("{}\n", url);
  ::unlink(draft.c_str());
  const Fd out(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  const bool written =
      out && ::write(out.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
      ::rename(draft.c_str(), file.c_str()) == 0;
  if (!written) {
    return fail(Code::io, fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)),
                "check the state folder (--state DIR) and who owns it");
  }
  return AdminUrl(std::move(file));
}

AdminUrl::AdminUrl(AdminUrl&& other) noexcept : file_(std::exchange(other.file_, {})) {}

AdminUrl& AdminUrl::operator=(AdminUrl&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

AdminUrl::~AdminUrl() {
  if (!file_.empty()) ::unlink(file_.c_str());
}

}  // namespace carrel::server
