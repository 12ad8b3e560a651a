#include <limits>

#include "base/result.h"
#include "wasi/calls.h"
#include "wasi/place.h"
#include "wasi/times.h"

namespace carrel::wasi {
namespace {

constexpr u64 kMaxSize = std::numeric_limits<std::int64_t>::max();
constexpr u32 kKnownFlags = 0x1f;

Io<OpenFile*> file_at(Context& c, Fd fd, Rights needed) {
  CARREL_TRY(Descriptor * found, c.files().get(fd, needed));
  return file_of(c, *found);
}

Io<void> not_a_socket(Context& c, Fd fd) {
  CARREL_TRY_VOID(c.files().get(fd));
  return fail(Errno::notsock);
}

}  // namespace

Io<void> fd_advise(Context& c, Fd fd, u64 at, u64 size, u32 advice) {
  constexpr u32 kAdvices = 6;
  CARREL_TRY(Descriptor * found, c.files().get(fd, right::kAdvise));
  if (advice >= kAdvices || at > kMaxSize || size > kMaxSize) return fail(Errno::inval);
  if (found->is_folder()) return fail(Errno::badf);
  return {};
}

Io<void> fd_allocate(Context& c, Fd fd, u64 at, u64 size) {
  CARREL_TRY(Descriptor * found, c.files().get(fd));
  if (found->is_folder()) return fail(Errno::badf);
  CARREL_TRY(OpenFile * file, file_at(c, fd, right::kAllocate));
  if (size == 0 || at > kMaxSize || size > kMaxSize - at) return fail(Errno::inval);
  return file->allocate(c, at, size);
}

Io<void> fd_close(Context& c, Fd fd) {
  CARREL_TRY(Descriptor closing, c.files().take(fd));
  return c.state().close(c, closing);
}

Io<void> fd_datasync(Context& c, Fd fd) {
  CARREL_TRY(OpenFile * file, file_at(c, fd, 0));
  return file->sync(c);
}

Io<void> fd_sync(Context& c, Fd fd) {
  CARREL_TRY(OpenFile * file, file_at(c, fd, right::kSync));
  return file->sync(c);
}

Io<void> fd_fdstat_get(Context& c, Fd fd, GuestPtr stat) {
  CARREL_TRY(auto out, c.slice(stat, kFdstatSize));
  CARREL_TRY(const Descriptor* found, c.files().get(fd));
  Layout<kFdstatSize>()
      .put(0, found->type)
      .put(2, found->flags)
      .put(8, found->rights)
      .put(16, found->inheriting)
      .copy_to(out);
  return {};
}

Io<void> fd_fdstat_set_flags(Context& c, Fd fd, u32 flags) {
  CARREL_TRY(OpenFile * file, file_at(c, fd, right::kSetFlags));
  if ((flags & ~kKnownFlags) != 0) return fail(Errno::inval);
  CARREL_TRY_VOID(file->set_append(c, static_cast<u16>(flags)));
  (*c.files().get(fd))->flags = static_cast<u16>(flags);
  return {};
}

// Rights can be given up, never gained.
Io<void> fd_fdstat_set_rights(Context& c, Fd fd, u64 base, u64 inheriting) {
  CARREL_TRY(Descriptor * found, c.files().get(fd));
  if ((base & ~found->rights) != 0 || (inheriting & ~found->inheriting) != 0)
    return fail(Errno::notcapable);
  found->rights = base;
  found->inheriting = inheriting;
  return {};
}

template <Snapshot snapshot>
Io<void> fd_filestat_get(Context& c, Fd fd, GuestPtr stat) {
  CARREL_TRY(auto out, c.slice(stat, filestat_size(snapshot)));
  CARREL_TRY(Descriptor * found, c.files().get(fd, right::kStat));
  CARREL_TRY(const FileStat answer, stat_of(c, *found));
  put_filestat(snapshot, answer, out);
  return {};
}
template Io<void> fd_filestat_get<Snapshot::unstable>(Context&, Fd, GuestPtr);
template Io<void> fd_filestat_get<Snapshot::preview1>(Context&, Fd, GuestPtr);

Io<void> fd_filestat_set_size(Context& c, Fd fd, u64 size) {
  CARREL_TRY(Descriptor * found, c.files().get(fd));
  if (found->is_folder()) return fail(Errno::badf);
  CARREL_TRY(OpenFile * file, file_at(c, fd, right::kSetSize));
  if (size > kMaxSize) return fail(Errno::inval);
  return file->set_size(c, size);
}

Io<void> fd_filestat_set_times(Context& c, Fd fd, u64 accessed, u64 modified, u32 flags) {
  CARREL_TRY(OpenFile * file, file_at(c, fd, right::kSetTimes));
  CARREL_TRY(const SetTimes times, times_of(c.clock(), accessed, modified, flags));
  return file->set_times(c, times);
}

Io<void> fd_prestat_get(Context& c, Fd fd, GuestPtr prestat) {
  CARREL_TRY(auto out, c.slice(prestat, kPrestatSize));
  CARREL_TRY(const Descriptor* found, c.files().get(fd));
  if (!found->preopened) return fail(Errno::badf);
  Layout<kPrestatSize>().put(4, static_cast<u32>(found->preopen_name.size())).copy_to(out);
  return {};
}

Io<void> fd_prestat_dir_name(Context& c, Fd fd, GuestPtr name, u32 size) {
  CARREL_TRY(auto out, c.slice(name, size));
  CARREL_TRY(const Descriptor* found, c.files().get(fd));
  if (!found->preopened) return fail(Errno::badf);
  if (found->preopen_name.size() > size) return fail(Errno::nametoolong);
  std::memcpy(out.data(), found->preopen_name.data(), found->preopen_name.size());
  return {};
}

Io<void> fd_renumber(Context& c, Fd from, Fd to) {
  if (from == to) {
    CARREL_TRY_VOID(c.files().get(from));
    return {};
  }
  CARREL_TRY(Descriptor replaced, c.files().renumber(from, to));
  return c.state().close(c, replaced);
}

Io<void> sock_accept(Context& c, Fd fd, u32, GuestPtr) { return not_a_socket(c, fd); }
Io<void> sock_recv(Context& c, Fd fd, GuestPtr, u32, u32, GuestPtr, GuestPtr) {
  return not_a_socket(c, fd);
}
Io<void> sock_send(Context& c, Fd fd, GuestPtr, u32, u32, GuestPtr) { return not_a_socket(c, fd); }
Io<void> sock_shutdown(Context& c, Fd fd, u32) { return not_a_socket(c, fd); }

}  // namespace carrel::wasi
