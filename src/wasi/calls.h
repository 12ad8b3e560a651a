// The functions of WASI preview 1, each once: what imports.cc registers. Operands in the order of
// the witx files.
//
// A function answers EAGAIN after `Context::wait_for` when it must wait, having done nothing that
// it would do again.
#pragma once

#include "wasi/context.h"
#include "wasi/layout.h"

namespace carrel::wasi {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

// start.cc: what a program asks at its start, and its end
Io<void> args_sizes_get(Context& c, GuestPtr count, GuestPtr bytes);
Io<void> args_get(Context& c, GuestPtr pointers, GuestPtr block);
Io<void> environ_sizes_get(Context& c, GuestPtr count, GuestPtr bytes);
Io<void> environ_get(Context& c, GuestPtr pointers, GuestPtr block);
Io<void> random_get(Context& c, GuestPtr at, u32 size);
Io<void> proc_exit(Context& c, u32 code);
Io<void> proc_raise(Context& c, u32 signal);
Io<void> sched_yield(Context& c);

// clocks.cc
Io<void> clock_res_get(Context& c, u32 id, GuestPtr resolution);
Io<void> clock_time_get(Context& c, u32 id, u64 precision, GuestPtr time);

// poll.cc
template <Snapshot>
Io<void> poll_oneoff(Context& c, GuestPtr in, GuestPtr out, u32 count, GuestPtr event_count);

// transfer.cc: bytes
Io<void> fd_read(Context& c, Fd fd, GuestPtr vectors, u32 count, GuestPtr moved);
Io<void> fd_write(Context& c, Fd fd, GuestPtr vectors, u32 count, GuestPtr moved);
Io<void> fd_pread(Context& c, Fd fd, GuestPtr vectors, u32 count, u64 at, GuestPtr moved);
Io<void> fd_pwrite(Context& c, Fd fd, GuestPtr vectors, u32 count, u64 at, GuestPtr moved);
template <Snapshot>
Io<void> fd_seek(Context& c, Fd fd, u64 by, u32 whence, GuestPtr position);
Io<void> fd_tell(Context& c, Fd fd, GuestPtr position);
Io<void> fd_readdir(Context& c, Fd fd, GuestPtr buffer, u32 size, u64 cookie, GuestPtr used);

// descriptors.cc: what is open
Io<void> fd_advise(Context& c, Fd fd, u64 at, u64 size, u32 advice);
Io<void> fd_allocate(Context& c, Fd fd, u64 at, u64 size);
Io<void> fd_close(Context& c, Fd fd);
Io<void> fd_datasync(Context& c, Fd fd);
Io<void> fd_sync(Context& c, Fd fd);
Io<void> fd_fdstat_get(Context& c, Fd fd, GuestPtr stat);
Io<void> fd_fdstat_set_flags(Context& c, Fd fd, u32 flags);
Io<void> fd_fdstat_set_rights(Context& c, Fd fd, u64 base, u64 inheriting);
template <Snapshot>
Io<void> fd_filestat_get(Context& c, Fd fd, GuestPtr stat);
Io<void> fd_filestat_set_size(Context& c, Fd fd, u64 size);
Io<void> fd_filestat_set_times(Context& c, Fd fd, u64 accessed, u64 modified, u32 flags);
Io<void> fd_prestat_get(Context& c, Fd fd, GuestPtr prestat);
Io<void> fd_prestat_dir_name(Context& c, Fd fd, GuestPtr name, u32 size);
Io<void> fd_renumber(Context& c, Fd from, Fd to);
Io<void> sock_accept(Context& c, Fd fd, u32 flags, GuestPtr accepted);
Io<void> sock_recv(Context& c, Fd fd, GuestPtr vectors, u32 count, u32 flags, GuestPtr moved,
                   GuestPtr flags_out);
Io<void> sock_send(Context& c, Fd fd, GuestPtr vectors, u32 count, u32 flags, GuestPtr moved);
Io<void> sock_shutdown(Context& c, Fd fd, u32 how);

// path_calls.cc
Io<void> path_create_directory(Context& c, Fd folder, GuestPtr path, u32 size);
template <Snapshot>
Io<void> path_filestat_get(Context& c, Fd folder, u32 lookup, GuestPtr path, u32 size,
                           GuestPtr stat);
Io<void> path_filestat_set_times(Context& c, Fd folder, u32 lookup, GuestPtr path, u32 size,
                                 u64 accessed, u64 modified, u32 flags);
Io<void> path_link(Context& c, Fd from_folder, u32 lookup, GuestPtr from, u32 from_size,
                   Fd to_folder, GuestPtr to, u32 to_size);
Io<void> path_open(Context& c, Fd folder, u32 lookup, GuestPtr path, u32 size, u32 oflags, u64 base,
                   u64 inheriting, u32 fdflags, GuestPtr opened);
Io<void> path_readlink(Context& c, Fd folder, GuestPtr path, u32 size, GuestPtr buffer,
                       u32 buffer_size, GuestPtr used);
Io<void> path_remove_directory(Context& c, Fd folder, GuestPtr path, u32 size);
Io<void> path_rename(Context& c, Fd from_folder, GuestPtr from, u32 from_size, Fd to_folder,
                     GuestPtr to, u32 to_size);
Io<void> path_symlink(Context& c, GuestPtr target, u32 target_size, Fd folder, GuestPtr path,
                      u32 size);
Io<void> path_unlink_file(Context& c, Fd folder, GuestPtr path, u32 size);

}  // namespace carrel::wasi
