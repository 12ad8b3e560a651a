// Guest memory: the only place where a guest's pointer becomes a host's.
//
// Every access names an offset and a size from the guest; both are checked together against the
// memory's present size, so neither overflow nor growth can reach outside. A view is good until the
// guest runs again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace carrel::wasm {

// An offset into a guest's linear memory, as the guest gave it.
enum class GuestPtr : std::uint32_t {};

inline GuestPtr operator+(GuestPtr at,
                          std::uint32_t bytes) {  // wraps like the guest's own arithmetic
  return GuestPtr{static_cast<std::uint32_t>(at) + bytes};
}

// Value type: a base and a size. Thread: the shard of its instance.
class GuestMemory {
 public:
  GuestMemory() = default;  // a module without memory: every access fails
  GuestMemory(std::byte* base, std::size_t size) : base_(base), size_(size) {}

  std::size_t size() const { return size_; }

  // The bytes [at, at + size), or nothing if any of them is outside. An empty slice at the end is
  // inside.
  std::optional<std::span<std::byte>> slice(GuestPtr at, std::uint64_t size) const {
    const auto offset = static_cast<std::uint64_t>(at);
    if (size > size_ || offset > size_ - size) return std::nullopt;
    return std::span(base_ + offset, static_cast<std::size_t>(size));
  }

  std::optional<std::string_view> text(GuestPtr at, std::uint64_t size) const {
    auto bytes = slice(at, size);
    if (!bytes) return std::nullopt;
    return std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  }

  // Little-endian scalars, at any alignment. T is an unsigned integer.
  template <typename T>
  std::optional<T> load(GuestPtr at) const {
    auto bytes = slice(at, sizeof(T));
    if (!bytes) return std::nullopt;
    T value;
    std::memcpy(&value, bytes->data(), sizeof value);
    return value;
  }
  template <typename T>
  [[nodiscard]] bool store(GuestPtr at, T value) const {
    auto bytes = slice(at, sizeof(T));
    if (!bytes) return false;
    std::memcpy(bytes->data(), &value, sizeof value);
    return true;
  }

 private:
  std::byte* base_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace carrel::wasm
