#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>

#include "base/result.h"
#include "wasi/calls.h"
#include "wasi/iovec.h"

namespace carrel::wasi {
namespace {

Io<void> put_sizes(Context& c, const Strings& strings, GuestPtr count_at, GuestPtr bytes_at) {
  CARREL_TRY(auto count, c.output<u32>(count_at));
  CARREL_TRY(auto bytes, c.output<u32>(bytes_at));
  count.set(strings.count());
  bytes.set(static_cast<u32>(strings.block().size()));
  return {};
}

// The block as it is, and a pointer to each text in it.
Io<void> put_strings(Context& c, const Strings& strings, GuestPtr pointers_at, GuestPtr block_at) {
  const std::string_view block = strings.block();
  CARREL_TRY(auto pointers, c.slice(pointers_at, u64{strings.count()} * 4));
  CARREL_TRY(auto copy, c.slice(block_at, block.size()));
  std::ranges::copy(std::as_bytes(std::span(block)), copy.begin());
  std::size_t start = 0;
  for (u32 i = 0; i < strings.count(); ++i) {
    const u32 pointer = static_cast<u32>(block_at) + static_cast<u32>(start);
    std::memcpy(pointers.data() + std::size_t{i} * 4, &pointer, 4);
    start = block.find('\0', start) + 1;
  }
  return {};
}

}  // namespace

Io<void> args_sizes_get(Context& c, GuestPtr count, GuestPtr bytes) {
  return put_sizes(c, *c.state().arguments, count, bytes);
}
Io<void> args_get(Context& c, GuestPtr pointers, GuestPtr block) {
  return put_strings(c, *c.state().arguments, pointers, block);
}
Io<void> environ_sizes_get(Context& c, GuestPtr count, GuestPtr bytes) {
  return put_sizes(c, *c.state().variables, count, bytes);
}
Io<void> environ_get(Context& c, GuestPtr pointers, GuestPtr block) {
  return put_strings(c, *c.state().variables, pointers, block);
}

// A piece a call; between pieces others run.
Io<void> random_get(Context& c, GuestPtr at, u32 size) {
  CARREL_TRY(auto bytes, c.slice(at, size));
  auto piece = bytes.subspan(c.progress().done);
  piece = piece.first(std::min(piece.size(), kMaxTransfer));
  while (!piece.empty()) {
    const ssize_t n = getrandom(piece.data(), piece.size(), 0);
    if (n < 0 && errno != EINTR) return fail(Errno::io);
    if (n <= 0) continue;
    piece = piece.subspan(static_cast<std::size_t>(n));
    c.progress().done += static_cast<u64>(n);
  }
  if (c.progress().done < size) return fail(c.yield());
  return {};
}

Io<void> proc_exit(Context& c, u32 code) {
  c.exit(code);
  return {};
}

Io<void> proc_raise(Context& c, u32 signal) {
  constexpr u32 kSignals = 31;
  if (signal >= kSignals) return fail(Errno::inval);
  if (signal != 0) c.abort(fmt::format("the guest raised signal {}", signal));
  return {};
}

Io<void> sched_yield(Context& c) {
  if (std::exchange(c.progress().done, 1) == 0) return fail(c.yield());
  return {};
}

}  // namespace carrel::wasi
