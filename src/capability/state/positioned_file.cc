#include "capability/state/positioned_file.h"

#include "wasi/seek.h"

namespace carrel::capability::state {

using wasi::Errno;
using wasi::fail;
using wasi::Io;

constexpr std::uint16_t kAppend = 1;  // of WASI's fdflags

Io<std::size_t> PositionedFile::read(wasi::IoContext& io, wasi::Buffers into) {
  const auto done = read_at(io, into, at_);
  if (done) at_ += *done;
  return done;
}

Io<std::size_t> PositionedFile::write(wasi::IoContext& io, wasi::ConstBuffers from) {
  if (!how_.write) return fail(Errno::badf);
  if (how_.append) {
    const auto size = end(io);
    if (!size) return fail(size.error());
    at_ = *size;
  }
  const auto done = write_at(io, from, at_);
  if (done) at_ += *done;
  return done;
}

Io<std::uint64_t> PositionedFile::seek(wasi::IoContext& io, std::int64_t by, Whence whence) {
  wasi::SeekState now{.position = at_};
  if (whence == Whence::end) {
    const auto found = stat(io);
    if (!found) return fail(found.error());
    now.size = found->size;
  }
  const auto to = wasi::seek_to(now, by, whence);
  if (to) at_ = *to;
  return to;
}

Io<void> PositionedFile::set_append(wasi::IoContext&, std::uint16_t fdflags) {
  how_.append = (fdflags & kAppend) != 0;
  return {};
}

}  // namespace carrel::capability::state
