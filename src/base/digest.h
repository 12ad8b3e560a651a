// SHA-256 of bytes, as lower-case hexadecimal: the identity of modules and assets.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace carrel {

std::string sha256_hex(std::span<const std::byte> bytes);

inline std::string sha256_hex(std::string_view text) {
  return sha256_hex(std::as_bytes(std::span(text.data(), text.size())));
}

// The same of bytes that come piece by piece. Move-only; one thread at a time.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  std::string hex();  // of all that was added; at most once

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

}  // namespace carrel
