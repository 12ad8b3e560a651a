#include "wasi/seek.h"

namespace carrel::wasi {

Io<std::uint64_t> seek_to(const SeekState& now, std::int64_t by, OpenFile::Whence whence) {
  std::uint64_t base = 0;
  if (whence == OpenFile::Whence::current) base = now.position;
  if (whence == OpenFile::Whence::end) base = now.size;
  std::int64_t to = 0;
  if (__builtin_add_overflow(base, by, &to)) return fail(Errno::overflow);  // never downwards
  if (to < 0) return fail(Errno::inval);
  return static_cast<std::uint64_t>(to);
}

}  // namespace carrel::wasi
