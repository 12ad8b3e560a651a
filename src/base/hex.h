// Hexadecimal digits: bytes as text, and what a digit stands for.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace carrel {

std::string to_hex(std::span<const std::byte> bytes);  // lower-case

// -1: it is no digit.
constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// False unless they are digits, two for each byte of `out`, which holds anything then.
bool from_hex(std::string_view digits, std::span<std::byte> out);

}  // namespace carrel
