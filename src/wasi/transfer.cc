#include <array>

#include "base/result.h"
#include "wasi/calls.h"
#include "wasi/iovec.h"
#include "wasi/place.h"

namespace carrel::wasi {
namespace {

constexpr u64 kMaxPosition = std::numeric_limits<std::int64_t>::max();
constexpr u16 kNonblock = 4;

// A file for reading or writing. A folder is no file: EISDIR to a reader, as POSIX has it.
Io<Descriptor*> file_for(Context& c, Fd fd, Rights needed) {
  CARREL_TRY(Descriptor * found, c.files().get(fd));
  if (found->is_folder()) return fail(needed == right::kRead ? Errno::isdir : Errno::badf);
  if ((found->flags & kNonblock) != 0) c.never_wait();
  return c.files().get(fd, needed);
}

}  // namespace

Io<void> fd_read(Context& c, Fd fd, GuestPtr vectors, u32 count, GuestPtr moved) {
  CARREL_TRY(auto out, c.output<u32>(moved));
  CARREL_TRY(Descriptor * file, file_for(c, fd, right::kRead));
  CARREL_TRY(const auto into, Vectors<std::byte>::read(c.memory(), vectors, count));
  std::size_t n = 0;
  if (into.bytes() > 0) {
    CARREL_TRY(n, file->file->read(c, into.buffers()));
  }
  out.set(static_cast<u32>(n));
  return {};
}

Io<void> fd_write(Context& c, Fd fd, GuestPtr vectors, u32 count, GuestPtr moved) {
  CARREL_TRY(auto out, c.output<u32>(moved));
  CARREL_TRY(Descriptor * file, file_for(c, fd, right::kWrite));
  CARREL_TRY(const auto from, Vectors<const std::byte>::read(c.memory(), vectors, count));
  std::size_t n = 0;
  if (from.bytes() > 0) {
    CARREL_TRY(n, file->file->write(c, from.buffers()));
  }
  out.set(static_cast<u32>(n));
  return {};
}

Io<void> fd_pread(Context& c, Fd fd, GuestPtr vectors, u32 count, u64 at, GuestPtr moved) {
  CARREL_TRY(auto out, c.output<u32>(moved));
  CARREL_TRY(Descriptor * file, file_for(c, fd, right::kRead));
  CARREL_TRY(const auto into, Vectors<std::byte>::read(c.memory(), vectors, count));
  if (at > kMaxPosition) return fail(Errno::inval);
  if (!file->file->seekable()) return fail(Errno::spipe);
  CARREL_TRY(const std::size_t n, file->file->read_at(c, into.buffers(), at));
  out.set(static_cast<u32>(n));
  return {};
}

Io<void> fd_pwrite(Context& c, Fd fd, GuestPtr vectors, u32 count, u64 at, GuestPtr moved) {
  CARREL_TRY(auto out, c.output<u32>(moved));
  CARREL_TRY(Descriptor * file, file_for(c, fd, right::kWrite));
  CARREL_TRY(const auto from, Vectors<const std::byte>::read(c.memory(), vectors, count));
  if (at > kMaxPosition) return fail(Errno::inval);
  if (!file->file->seekable()) return fail(Errno::spipe);
  CARREL_TRY(const std::size_t n, file->file->write_at(c, from.buffers(), at));
  out.set(static_cast<u32>(n));
  return {};
}

template <Snapshot snapshot>
Io<void> fd_seek(Context& c, Fd fd, u64 by, u32 whence, GuestPtr position) {
  using enum OpenFile::Whence;
  constexpr std::array kOrder = snapshot == Snapshot::preview1 ? std::array{set, current, end}
                                                               : std::array{current, end, set};
  CARREL_TRY(auto out, c.output<u64>(position));
  CARREL_TRY(Descriptor * file, c.files().get(fd));
  if (file->is_folder()) return fail(Errno::badf);
  if (!file->file->seekable()) return fail(Errno::spipe);
  CARREL_TRY(file, c.files().get(fd, right::kSeek));
  if (whence >= kOrder.size()) return fail(Errno::inval);
  CARREL_TRY(const u64 now, file->file->seek(c, static_cast<std::int64_t>(by), kOrder[whence]));
  out.set(now);
  return {};
}
template Io<void> fd_seek<Snapshot::unstable>(Context&, Fd, u64, u32, GuestPtr);
template Io<void> fd_seek<Snapshot::preview1>(Context&, Fd, u64, u32, GuestPtr);

Io<void> fd_tell(Context& c, Fd fd, GuestPtr position) {
  CARREL_TRY(auto out, c.output<u64>(position));
  CARREL_TRY(Descriptor * file, c.files().get(fd));
  if (file->is_folder()) return fail(Errno::badf);
  if (!file->file->seekable()) return fail(Errno::spipe);
  CARREL_TRY(file, c.files().get(fd, right::kTell));
  CARREL_TRY(const u64 now, file->file->seek(c, 0, OpenFile::Whence::current));
  out.set(now);
  return {};
}

}  // namespace carrel::wasi
