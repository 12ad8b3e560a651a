#include "cli/standard_streams.h"

#include <limits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "async/descriptor.h"

namespace carrel::cli {
namespace {

using wasi::Errno;
using wasi::Io;

constexpr std::size_t kMostAtOnce = 256 << 10;  // so that a host call is short
constexpr std::size_t kMostBuffers = 64;

Errno errno_of(int error) {
  switch (error) {
    case EPIPE:
      return Errno::pipe;
    case ENOSPC:
      return Errno::nospc;
    case EDQUOT:
      return Errno::dquot;
    case EFBIG:
      return Errno::fbig;
    case EISDIR:
      return Errno::isdir;
    case EBADF:
      return Errno::badf;
    default:
      return Errno::io;
  }
}

// The first `most` bytes of `buffers`, for readv and writev.
template <typename Span>
struct Vector {
  std::array<iovec, kMostBuffers> items{};
  int count = 0;

  Vector(std::span<const Span> buffers, std::size_t most) {
    for (const Span& buffer : buffers) {
      if (most == 0 || count == static_cast<int>(kMostBuffers)) return;
      const std::size_t n = std::min(buffer.size(), most);
      if (n == 0) continue;
      items[static_cast<std::size_t>(count++)] = {
          .iov_base = const_cast<void*>(static_cast<const void*>(buffer.data())), .iov_len = n};
      most -= n;
    }
  }
};

wasi::FileType type_of(int fd, mode_t mode) {
  if (S_ISREG(mode)) return wasi::FileType::regular;
  if (S_ISSOCK(mode)) return wasi::FileType::stream;
  // What libc takes for a terminal is written to line by line; a null device need not be.
  if (S_ISCHR(mode) && ::isatty(fd) == 1) return wasi::FileType::character;
  return wasi::FileType::unknown;
}

class StreamFile final : public wasi::OpenFile {
 public:
  StreamFile(int fd, StreamUse use, std::unique_ptr<async::Readiness> readiness, std::size_t most)
      : fd_(fd), use_(use), readiness_(std::move(readiness)), most_(most) {}

  Io<wasi::FileStat> stat(wasi::IoContext&) override {
    struct stat status{};
    if (::fstat(fd_, &status) != 0) return wasi::fail(errno_of(errno));
    return wasi::FileStat{
        .type = type_of(fd_, status.st_mode),
        .size = S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0};
  }

  Io<std::size_t> read(wasi::IoContext& io, wasi::Buffers into) override {
    if (use_ != StreamUse::input) return wasi::fail(Errno::badf);
    const Vector vector(into, most_);
    if (vector.count == 0) return 0;
    return move(io, [&] { return ::readv(fd_, vector.items.data(), vector.count); });
  }

  Io<std::size_t> write(wasi::IoContext& io, wasi::ConstBuffers from) override {
    if (use_ != StreamUse::output) return wasi::fail(Errno::badf);
    const Vector vector(from, most_);
    if (vector.count == 0) return 0;
    return move(io, [&] { return ::writev(fd_, vector.items.data(), vector.count); });
  }

  Io<std::uint64_t> readable(wasi::IoContext& io) override {
    if (use_ != StreamUse::input) return wasi::fail(Errno::badf);
    if (!readiness_->now()) return wait(io);
    int bytes = 0;
    return ::ioctl(fd_, FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
  }

  Io<std::uint64_t> writable(wasi::IoContext& io) override {
    if (use_ != StreamUse::output) return wasi::fail(Errno::badf);
    if (!readiness_->now()) return wait(io);
    return most_;
  }

 private:
  std::unexpected<Errno> wait(wasi::IoContext& io) {
    io.wait_for(readiness_->wait());
    return wasi::fail(Errno::again);
  }

  template <typename Move>
  Io<std::size_t> move(wasi::IoContext& io, const Move& attempt) {
    if (!readiness_->now()) return wait(io);
    for (;;) {
      const ssize_t n = attempt();
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno == EAGAIN) return wait(io);  // the starter made it non-blocking
      if (errno != EINTR) return wasi::fail(errno_of(errno));
    }
  }

  int fd_;
  StreamUse use_;
  std::unique_ptr<async::Readiness> readiness_;
  std::size_t most_;
};

}  // namespace

std::unique_ptr<wasi::OpenFile> open_stream(async::Shard& shard, int fd, StreamUse use) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return nullptr;
  auto readiness = async::Readiness::of(
      shard, fd, use == StreamUse::input ? async::Direction::read : async::Direction::write);
  if (!readiness) return nullptr;
  // A pipe that is ready takes a page without waiting; more might block.
  const bool bounded = use == StreamUse::output && !S_ISREG(status.st_mode);
  return std::make_unique<StreamFile>(fd, use, std::move(*readiness),
                                      bounded ? PIPE_BUF : kMostAtOnce);
}

}  // namespace carrel::cli
