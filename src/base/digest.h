// SHA-256 of bytes, as lower-case hexadecimal: the identity of modules and assets.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace carrel {

std::string sha256_hex(std::span<const std::byte> bytes);

inline std::string sha256_hex(std::string_view text) {
  return sha256_hex(std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace carrel
