#include "capability/folder/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "capability/folder/host_errno.h"

namespace carrel::capability::folder {
namespace {

using wasi::Errno;
using wasi::fail;

// A rename anywhere on the way makes the kernel give up with EAGAIN rather than look outside.
constexpr int kMaxTries = 128;

}  // namespace

int open_beneath_once(int folder, const char* path, int flags, unsigned mode) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  if ((flags & O_PATH) == 0) how.flags |= O_NONBLOCK | O_NOCTTY;
  if ((flags & O_CREAT) != 0) how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const long fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
  return fd < 0 ? -errno : static_cast<int>(fd);
}

wasi::Io<Fd> open_beneath(int folder, std::string_view path, int flags, unsigned mode) {
  if (path.contains('\0')) return fail(Errno::inval);
  const std::string text(path.empty() ? "." : path);
  int fd = -EAGAIN;
  for (int tries = 0; tries < kMaxTries && (fd == -EAGAIN || fd == -EINTR); ++tries) {
    fd = open_beneath_once(folder, text.c_str(), flags, mode);
  }
  if (fd >= 0) return Fd(fd);
  return fail(fd == -EXDEV ? Errno::perm : from_host(-fd));
}

wasi::Io<Name> name_beneath(int folder, std::string_view path) {
  if (path.empty()) return fail(Errno::busy);
  const std::size_t slash = path.rfind('/');
  const bool below = slash != std::string_view::npos;
  const std::string_view name = below ? path.substr(slash + 1) : path;
  if (name.empty() || name == "." || name == ".." || name.contains('\0')) return fail(Errno::inval);
  auto parent = open_beneath(folder, below ? path.substr(0, slash) : "", O_PATH | O_DIRECTORY);
  if (!parent) return fail(parent.error());
  return Name{std::move(*parent), std::string(name)};
}

}  // namespace carrel::capability::folder
