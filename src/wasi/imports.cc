#include <array>
#include <vector>

#include "wasi/calls.h"

namespace carrel::wasi {
namespace {

using wasm::Suspends;

template <typename T>
T operand(std::uint64_t value) {
  if constexpr (std::is_enum_v<T>) {
    return T(static_cast<std::underlying_type_t<T>>(value));
  } else {
    return static_cast<T>(value);
  }
}

// Between the engine's form of a host function and ours.
template <auto function>
struct Entry;

template <typename... Operands, Io<void> (*function)(Context&, Operands...)>
struct Entry<function> {
  static constexpr char kParams[] = {(sizeof(Operands) == 8 ? 'I' : 'i')..., '\0'};

  template <Suspends suspends>
  static wasm::HostStatus call(wasm::Call& call, const std::uint64_t* args, std::int32_t* result) {
    Context context((*static_cast<Wasi**>(call.state()))->state(), &call, suspends);
    const auto invoke = [&]<std::size_t... i>(std::index_sequence<i...>) {
      return function(context, operand<Operands>(args[i])...);
    };
    return context.finish(invoke(std::index_sequence_for<Operands...>()), result);
  }
};

template <auto function, Suspends suspends = Suspends::never>
constexpr wasm::HostFunction row(std::string_view module, std::string_view name) {
  return {.module = module,
          .name = name,
          .params = Entry<function>::kParams,
          .function = Entry<function>::template call<suspends>,
          .suspends = suspends};
}

// What may have to wait: for a node, a stream, a clock, or because it moves much. The rest costs
// less.
template <Snapshot snapshot>
constexpr auto rows(std::string_view module) {
  constexpr Suspends kMaybe = Suspends::maybe;
  std::array table{
      row<args_get>(module, "args_get"),
      row<args_sizes_get>(module, "args_sizes_get"),
      row<environ_get>(module, "environ_get"),
      row<environ_sizes_get>(module, "environ_sizes_get"),
      row<clock_res_get>(module, "clock_res_get"),
      row<clock_time_get>(module, "clock_time_get"),
      row<fd_advise>(module, "fd_advise"),
      row<fd_allocate, kMaybe>(module, "fd_allocate"),
      row<fd_close>(module, "fd_close"),
      row<fd_datasync, kMaybe>(module, "fd_datasync"),
      row<fd_fdstat_get>(module, "fd_fdstat_get"),
      row<fd_fdstat_set_flags>(module, "fd_fdstat_set_flags"),
      row<fd_fdstat_set_rights>(module, "fd_fdstat_set_rights"),
      row<fd_filestat_get<snapshot>>(module, "fd_filestat_get"),
      row<fd_filestat_set_size, kMaybe>(module, "fd_filestat_set_size"),
      row<fd_filestat_set_times, kMaybe>(module, "fd_filestat_set_times"),
      row<fd_pread, kMaybe>(module, "fd_pread"),
      row<fd_prestat_get>(module, "fd_prestat_get"),
      row<fd_prestat_dir_name>(module, "fd_prestat_dir_name"),
      row<fd_pwrite, kMaybe>(module, "fd_pwrite"),
      row<fd_read, kMaybe>(module, "fd_read"),
      row<fd_readdir, kMaybe>(module, "fd_readdir"),
      row<fd_renumber>(module, "fd_renumber"),
      row<fd_seek<snapshot>>(module, "fd_seek"),
      row<fd_sync, kMaybe>(module, "fd_sync"),
      row<fd_tell>(module, "fd_tell"),
      row<fd_write, kMaybe>(module, "fd_write"),
      row<path_create_directory, kMaybe>(module, "path_create_directory"),
      row<path_filestat_get<snapshot>, kMaybe>(module, "path_filestat_get"),
      row<path_filestat_set_times, kMaybe>(module, "path_filestat_set_times"),
      row<path_link, kMaybe>(module, "path_link"),
      row<path_open, kMaybe>(module, "path_open"),
      row<path_readlink, kMaybe>(module, "path_readlink"),
      row<path_remove_directory, kMaybe>(module, "path_remove_directory"),
      row<path_rename, kMaybe>(module, "path_rename"),
      row<path_symlink, kMaybe>(module, "path_symlink"),
      row<path_unlink_file, kMaybe>(module, "path_unlink_file"),
      row<poll_oneoff<snapshot>, kMaybe>(module, "poll_oneoff"),
      row<proc_exit>(module, "proc_exit"),
      row<proc_raise>(module, "proc_raise"),
      row<random_get, kMaybe>(module, "random_get"),
      row<sched_yield, kMaybe>(module, "sched_yield"),
      row<sock_accept>(module, "sock_accept"),
      row<sock_recv>(module, "sock_recv"),
      row<sock_send>(module, "sock_send"),
      row<sock_shutdown>(module, "sock_shutdown"),
  };
  for (wasm::HostFunction& one : table) {
    if (one.name == "proc_exit") one.returns = wasm::Returns::nothing;
  }
  return table;
}

constexpr auto kTable = [] {
  constexpr auto newer = rows<Snapshot::preview1>("wasi_snapshot_preview1");
  constexpr auto older = rows<Snapshot::unstable>("wasi_unstable");
  static_assert(newer.size() == 46);
  std::array<wasm::HostFunction, newer.size() + older.size()> all{};
  std::ranges::copy(newer, all.begin());
  std::ranges::copy(older, all.begin() + newer.size());
  return all;
}();

}  // namespace

std::span<const wasm::HostFunction> imports() { return kTable; }

}  // namespace carrel::wasi
