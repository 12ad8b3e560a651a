// Bytes that are nobody else's: wiped when they go.
//
// They stay in one place from the beginning to the end: a move moves the place, and a copy is made
// on purpose. What a reader makes of its view is the reader's affair.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace carrel {

// Move-only. Thread-compatible.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size);         // zeros, to be filled
  explicit SecretBytes(std::string_view copied);  // whoever has the original wipes it

  std::size_t size() const { return bytes_ == nullptr ? 0 : size_; }
  std::string_view view() const { return {bytes_.get(), size()}; }
  std::span<std::byte> room() { return std::as_writable_bytes(std::span(bytes_.get(), size())); }
  // Only the first `size` bytes are left; no more than there are.
  void shorten(std::size_t size);

 private:
  struct Wipe {
    std::size_t size;
    void operator()(char* bytes) const;
  };

  std::unique_ptr<char[], Wipe> bytes_;
  std::size_t size_ = 0;
};

// For copies that others need as a string: wipes and empties it. What it grew out of, and short
// ones it was moved out of, are elsewhere: reserve `kNeverInline` before anything is in it.
void wipe(std::string& copy);
inline constexpr std::size_t kNeverInline = 64;

}  // namespace carrel
