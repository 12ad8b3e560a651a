#include "capability/folder/host_file.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "capability/folder/host_errno.h"
#include "capability/folder/host_listing.h"

namespace carrel::capability::folder {
namespace {

using wasi::Errno;
using wasi::fail;
using wasi::Io;
using wasi::IoContext;

constexpr std::size_t kMaxTransfer = 256 << 10;
constexpr std::uint16_t kAppend = 1;  // WASI's fdflags
constexpr std::uint64_t kNanos = 1'000'000'000;

// The first buffers of a call, as many bytes as one call may move.
struct Vectors {
  std::array<iovec, 64> list;
  int count = 0;

  template <typename Bytes>
  explicit Vectors(std::span<const std::span<Bytes>> buffers) {
    std::size_t left = kMaxTransfer;
    for (const auto& buffer : buffers) {
      if (left == 0 || count == static_cast<int>(list.size())) break;
      if (buffer.empty()) continue;
      const std::size_t size = std::min(left, buffer.size());
      // readv and writev share one type; writev changes nothing.
      list[count++] = {const_cast<std::byte*>(static_cast<const std::byte*>(buffer.data())), size};
      left -= size;
    }
  }
};

template <typename Call>
Io<std::size_t> repeat(Call call) {
  for (;;) {
    const ssize_t done = call();
    if (done >= 0) return static_cast<std::size_t>(done);
    if (errno != EINTR) return fail(last_host_error());
  }
}

Io<void> checked(int result) {
  if (result < 0) return fail(last_host_error());
  return {};
}

class HostOpen : public wasi::OpenFile {
 public:
  HostOpen(Fd fd, Access access) : fd_(std::move(fd)), access_(access) {}

  Io<wasi::FileStat> stat(IoContext&) override {
    struct stat status{};
    if (fstat(fd(), &status) != 0) return fail(last_host_error());
    return from_host_stat(status);
  }
  Io<void> set_times(IoContext&, wasi::SetTimes times) override {
    if (access_ == Access::read_only) return fail(Errno::rofs);
    return checked(futimens(fd(), to_host_times(times).data()));
  }
  Io<void> sync(IoContext&) override { return checked(fsync(fd())); }

 protected:
  int fd() const { return fd_.get(); }
  Access access() const { return access_; }

 private:
  Fd fd_;
  Access access_;
};

class HostFolder final : public HostOpen {
 public:
  using HostOpen::HostOpen;
  Io<std::vector<wasi::DirEntry>> list(IoContext&, std::uint64_t cookie, std::size_t max) override {
    return list_host_folder(fd(), cookie, max);
  }
};

class HostFile final : public HostOpen {
 public:
  using HostOpen::HostOpen;

  Io<std::size_t> read(IoContext&, wasi::Buffers into) override {
    const Vectors to(into);
    return repeat([this, &to] { return readv(fd(), to.list.data(), to.count); });
  }
  Io<std::size_t> read_at(IoContext&, wasi::Buffers into, std::uint64_t at) override {
    if (at > INT64_MAX) return fail(Errno::inval);
    const Vectors to(into);
    return repeat(
        [this, &to, at] { return preadv(fd(), to.list.data(), to.count, static_cast<off_t>(at)); });
  }
  Io<std::size_t> write(IoContext&, wasi::ConstBuffers from) override {
    const Vectors of(from);
    return repeat([this, &of] { return writev(fd(), of.list.data(), of.count); });
  }
  Io<std::size_t> write_at(IoContext&, wasi::ConstBuffers from, std::uint64_t at) override {
    if (at > INT64_MAX) return fail(Errno::fbig);
    const Vectors of(from);
    return repeat([this, &of, at] {
      return pwritev(fd(), of.list.data(), of.count, static_cast<off_t>(at));
    });
  }

  Io<std::uint64_t> seek(IoContext&, std::int64_t by, Whence whence) override {
    const int from = whence == Whence::set       ? SEEK_SET
                     : whence == Whence::current ? SEEK_CUR
                                                 : SEEK_END;
    const off_t at = lseek(fd(), by, from);
    if (at < 0) return fail(last_host_error());
    return static_cast<std::uint64_t>(at);
  }
  bool seekable() const override { return true; }

  Io<void> set_size(IoContext&, std::uint64_t size) override {
    if (access() == Access::read_only) return fail(Errno::rofs);
    if (size > INT64_MAX) return fail(Errno::fbig);
    return checked(ftruncate(fd(), static_cast<off_t>(size)));
  }

  Io<void> set_append(IoContext&, std::uint16_t fdflags) override {
    const int flags = fcntl(fd(), F_GETFL);
    if (flags < 0) return fail(last_host_error());
    return checked(
        fcntl(fd(), F_SETFL, (fdflags & kAppend) != 0 ? flags | O_APPEND : flags & ~O_APPEND));
  }

  Io<std::uint64_t> readable(IoContext&) override {
    struct stat status{};
    const off_t at = lseek(fd(), 0, SEEK_CUR);
    if (at < 0 || fstat(fd(), &status) != 0) return fail(last_host_error());
    return static_cast<std::uint64_t>(status.st_size > at ? status.st_size - at : 0);
  }
  Io<std::uint64_t> writable(IoContext&) override { return kMaxTransfer; }
};

std::uint64_t nanos(const timespec& time) {
  if (time.tv_sec < 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * kNanos +
         static_cast<std::uint64_t>(time.tv_nsec);
}

wasi::FileType file_type(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return wasi::FileType::regular;
    case S_IFDIR:
      return wasi::FileType::folder;
    case S_IFLNK:
      return wasi::FileType::symlink;
    case S_IFBLK:
      return wasi::FileType::block;
    case S_IFCHR:
      return wasi::FileType::character;
    case S_IFSOCK:
      return wasi::FileType::stream;
    default:
      return wasi::FileType::unknown;  // WASI has no FIFOs
  }
}

}  // namespace

std::unique_ptr<wasi::OpenFile> open_host_file(Fd fd, Access access) {
  return std::make_unique<HostFile>(std::move(fd), access);
}

std::unique_ptr<wasi::OpenFile> open_host_folder(Fd fd, Access access) {
  return std::make_unique<HostFolder>(std::move(fd), access);
}

wasi::FileStat from_host_stat(const struct stat& status) {
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .type = file_type(status.st_mode),
          .links = status.st_nlink,
          .size = static_cast<std::uint64_t>(status.st_size),
          .accessed = nanos(status.st_atim),
          .modified = nanos(status.st_mtim),
          .changed = nanos(status.st_ctim)};
}

std::array<timespec, 2> to_host_times(wasi::SetTimes times) {
  const auto one = [](std::optional<std::uint64_t> time) {
    if (!time) return timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT};
    return timespec{.tv_sec = static_cast<time_t>(*time / kNanos),
                    .tv_nsec = static_cast<long>(*time % kNanos)};
  };
  return {one(times.accessed), one(times.modified)};
}

}  // namespace carrel::capability::folder
