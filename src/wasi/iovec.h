// A guest's vectors of buffers, read and checked in one place.
//
// Bounded, so that a host call is short: what is beyond is left for the guest's next call, which is
// what a short count of bytes tells it.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "wasi/errno.h"
#include "wasm/memory.h"

namespace carrel::wasi {

inline constexpr std::size_t kMaxVectors = 1024;
inline constexpr std::size_t kMaxTransfer = 256 << 10;  // bytes

// The buffers of one call: `Byte` is std::byte to read into, const std::byte to write from.
template <typename Byte>
class Vectors {
 public:
  using Buffer = std::span<Byte>;

  // EFAULT when the array, or a buffer that is used, is not inside the memory.
  static Io<Vectors> read(const wasm::GuestMemory& memory, wasm::GuestPtr at, std::uint32_t count);

  std::span<const Buffer> buffers() const {
    return many_.empty() ? std::span<const Buffer>(few_.data(), size_)
                         : std::span<const Buffer>(many_);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  void add(Buffer buffer);

  std::array<Buffer, 8> few_;
  std::size_t size_ = 0;
  std::vector<Buffer> many_;  // all of them, when there are more than few
  std::size_t bytes_ = 0;
};

extern template class Vectors<std::byte>;
extern template class Vectors<const std::byte>;

}  // namespace carrel::wasi
