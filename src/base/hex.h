// Hexadecimal digits: bytes as text, and what a digit stands for.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace carrel {

std::string to_hex(std::span<const std::byte> bytes);  // lower-case

// -1: it is no digit.
constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace carrel
