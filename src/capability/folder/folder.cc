#include "capability/folder/folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "capability/folder/beneath.h"
#include "capability/folder/host_errno.h"
#include "capability/folder/host_file.h"

namespace carrel::capability::folder {
namespace {

using wasi::Errno;
using wasi::Io;
using wasi::IoContext;
using wasi::OpenHow;

std::unexpected<Errno> refuse(Errno error) { return wasi::fail(error); }

Io<void> checked(int result) {
  if (result < 0) return refuse(last_host_error());
  return {};
}

class Folder final : public wasi::Node {
 public:
  Folder(Fd root, Access access) : root_(std::move(root)), access_(access) {}

  bool resolves_dots() const override { return true; }
  Io<std::unique_ptr<wasi::OpenFile>> open(IoContext& io, std::string_view path,
                                           const OpenHow& how) override;
  Io<wasi::FileStat> stat(IoContext& io, std::string_view path, bool follow) override;
  Io<void> make_folder(IoContext& io, std::string_view path) override;
  Io<void> remove_folder(IoContext& io, std::string_view path) override;
  Io<void> unlink(IoContext& io, std::string_view path) override;
  Io<void> rename(IoContext& io, std::string_view from, std::string_view to) override;
  Io<void> link(IoContext& io, std::string_view from, std::string_view to) override;
  Io<void> symlink(IoContext& io, std::string_view target, std::string_view path) override;
  Io<std::string> read_link(IoContext& io, std::string_view path) override;
  Io<void> set_times(IoContext& io, std::string_view path, wasi::SetTimes times,
                     bool follow) override;

 private:
  // The name an operation changes. Errors: EROFS, and those of name_beneath.
  Io<Name> changeable(std::string_view path) const {
    if (access_ == Access::read_only) return refuse(Errno::rofs);
    return name_beneath(root_.get(), path);
  }
  Io<Fd> open_descriptor(std::string_view path, const OpenHow& how) const;

  const Fd root_;
  const Access access_;
};

int open_flags(const OpenHow& how) {
  int flags = how.follow ? 0 : O_NOFOLLOW;
  if (how.folder) return flags | O_RDONLY | O_DIRECTORY;
  flags |= how.read && how.write ? O_RDWR : how.write ? O_WRONLY : O_RDONLY;
  if (how.create) flags |= O_CREAT;
  if (how.exclusive) flags |= O_EXCL;
  if (how.truncate) flags |= O_TRUNC;
  if (how.append) flags |= O_APPEND;
  if (how.sync) flags |= O_SYNC;
  if (how.data_sync) flags |= O_DSYNC;
  return flags;
}

Io<Fd> Folder::open_descriptor(std::string_view path, const OpenHow& how) const {
  if (how.folder && (how.create || how.truncate)) return refuse(Errno::inval);
  if (access_ == Access::read_write) return open_beneath(root_.get(), path, open_flags(how), 0666);
  if (how.truncate || (how.write && !how.folder)) return refuse(Errno::rofs);
  OpenHow existing = how;
  existing.create = existing.exclusive = false;
  auto fd = open_beneath(root_.get(), path, open_flags(existing));
  if (how.create && fd && how.exclusive) return refuse(Errno::exist);
  if (how.create && !fd && fd.error() == Errno::noent) return refuse(Errno::rofs);
  return fd;
}

Io<std::unique_ptr<wasi::OpenFile>> Folder::open(IoContext&, std::string_view path,
                                                 const OpenHow& how) {
  auto fd = open_descriptor(path, how);
  if (!fd) return refuse(fd.error());
  struct stat status{};
  if (fstat(fd->get(), &status) != 0) return refuse(last_host_error());
  if (S_ISDIR(status.st_mode)) return open_host_folder(std::move(*fd), access_);
  if (S_ISREG(status.st_mode)) return open_host_file(std::move(*fd), access_);
  return refuse(Errno::nxio);
}

Io<wasi::FileStat> Folder::stat(IoContext&, std::string_view path, bool follow) {
  const auto fd = open_beneath(root_.get(), path, O_PATH | (follow ? 0 : O_NOFOLLOW));
  if (!fd) return refuse(fd.error());
  struct stat status{};
  if (fstat(fd->get(), &status) != 0) return refuse(last_host_error());
  return from_host_stat(status);
}

Io<void> Folder::make_folder(IoContext&, std::string_view path) {
  if (path.empty()) return refuse(Errno::exist);
  const auto at = changeable(path);
  if (!at) return refuse(at.error());
  return checked(mkdirat(at->folder.get(), at->name.c_str(), 0777));
}

Io<void> Folder::remove_folder(IoContext&, std::string_view path) {
  const auto at = changeable(path);
  if (!at) return refuse(at.error());
  return checked(unlinkat(at->folder.get(), at->name.c_str(), AT_REMOVEDIR));
}

Io<void> Folder::unlink(IoContext&, std::string_view path) {
  const auto at = changeable(path);
  if (!at) return refuse(at.error());
  return checked(unlinkat(at->folder.get(), at->name.c_str(), 0));
}

Io<void> Folder::rename(IoContext&, std::string_view from, std::string_view to) {
  const auto source = changeable(from);
  if (!source) return refuse(source.error());
  const auto target = changeable(to);
  if (!target) return refuse(target.error());
  return checked(renameat(source->folder.get(), source->name.c_str(), target->folder.get(),
                          target->name.c_str()));
}

Io<void> Folder::link(IoContext&, std::string_view from, std::string_view to) {
  const auto source = changeable(from);
  if (!source) return refuse(source.error());
  const auto target = changeable(to);
  if (!target) return refuse(target.error());
  return checked(linkat(source->folder.get(), source->name.c_str(), target->folder.get(),
                        target->name.c_str(), 0));
}

// Links with absolute targets would mean one thing to the guest and another to the host's programs.
Io<void> Folder::symlink(IoContext&, std::string_view target, std::string_view path) {
  if (target.contains('\0')) return refuse(Errno::inval);
  if (target.starts_with('/')) return refuse(Errno::perm);
  const auto at = changeable(path);
  if (!at) return refuse(at.error());
  return checked(symlinkat(std::string(target).c_str(), at->folder.get(), at->name.c_str()));
}

Io<std::string> Folder::read_link(IoContext&, std::string_view path) {
  const auto at = name_beneath(root_.get(), path);
  if (!at) return refuse(path.empty() ? Errno::inval : at.error());
  std::string target(PATH_MAX, '\0');
  const ssize_t size = readlinkat(at->folder.get(), at->name.c_str(), target.data(), target.size());
  if (size < 0) return refuse(last_host_error());
  target.resize(static_cast<std::size_t>(size));
  if (target.starts_with('/')) return refuse(Errno::perm);  // says where things are on the host
  return target;
}

Io<void> Folder::set_times(IoContext&, std::string_view path, wasi::SetTimes times, bool follow) {
  if (access_ == Access::read_only) return refuse(Errno::rofs);
  const auto fd = open_beneath(root_.get(), path, O_PATH | (follow ? 0 : O_NOFOLLOW));
  if (!fd) return refuse(fd.error());
  return checked(utimensat(fd->get(), "", to_host_times(times).data(), AT_EMPTY_PATH));
}

Error mount_error(const std::filesystem::path& folder, int error) {
  const std::string message =
      fmt::format("cannot mount {}: {}", folder.string(), std::strerror(error));
  switch (error) {
    case ENOENT:
      return Error(Code::not_found, message, "create the folder, or correct the path");
    case ENOTDIR:
      return Error(Code::invalid_argument, message,
                   "name a folder; a file cannot be mounted alone");
    case EACCES:
      return Error(Code::permission_denied, message,
                   "let the user that runs Carrel read and enter the folder");
    default:
      return Error(Code::io, message, "check the folder and its file system");
  }
}

}  // namespace

Result<std::shared_ptr<wasi::Node>> mount(const std::filesystem::path& folder, Access access) {
  Fd root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root.get() < 0) return std::unexpected(mount_error(folder, errno));
  const Fd listed(open_beneath_once(root.get(), ".", O_RDONLY | O_DIRECTORY, 0));
  const int probe = listed.get();
  if (probe == -ENOSYS || probe == -EPERM) {
    return carrel::fail(
        Code::unsupported,
        fmt::format(
            "cannot mount {}: openat2 is not available, and without it a guest could leave the folder",
            folder.string()),
        "run on Linux 5.6 or newer, and allow openat2 in the container's seccomp profile");
  }
  if (probe < 0) return std::unexpected(mount_error(folder, -probe));
  return std::make_shared<Folder>(std::move(root), access);
}

}  // namespace carrel::capability::folder
