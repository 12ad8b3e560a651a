// WASI's structures as they lie in a guest's memory. Snapshot 0 differs in a few.
#pragma once

#include <cstring>
#include <span>

#include "wasi/node.h"
#include "wasi/rights.h"

namespace carrel::wasi {

enum class Snapshot : std::uint8_t { unstable, preview1 };

// Writes little-endian fields at offsets of a zeroed structure of N bytes.
template <std::size_t N>
class Layout {
 public:
  template <typename T>
  Layout& put(std::size_t at, T value) {
    std::memcpy(bytes_ + at, &value, sizeof value);
    return *this;
  }
  std::span<const std::byte> bytes() const { return bytes_; }
  void copy_to(std::span<std::byte> out) const { std::memcpy(out.data(), bytes_, N); }

 private:
  std::byte bytes_[N] = {};
};

inline constexpr std::size_t kFdstatSize = 24, kDirentSize = 24, kEventSize = 32, kPrestatSize = 8;

constexpr std::size_t filestat_size(Snapshot snapshot) {
  return snapshot == Snapshot::preview1 ? 64 : 56;
}
constexpr std::size_t subscription_size(Snapshot snapshot) {
  return snapshot == Snapshot::preview1 ? 48 : 56;
}

inline void put_filestat(Snapshot snapshot, const FileStat& stat, std::span<std::byte> out) {
  Layout<64> layout;
  layout.put(0, stat.device).put(8, stat.inode).put(16, stat.type);
  std::size_t at = 24;
  if (snapshot == Snapshot::preview1) {
    layout.put(at, stat.links);
    at += 8;
  } else {
    layout.put(20, static_cast<std::uint32_t>(stat.links));
  }
  layout.put(at, stat.size)
      .put(at + 8, stat.accessed)
      .put(at + 16, stat.modified)
      .put(at + 24, stat.changed);
  std::memcpy(out.data(), layout.bytes().data(), filestat_size(snapshot));
}

}  // namespace carrel::wasi
