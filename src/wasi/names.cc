#include "wasi/names.h"

#include "base/hex.h"

namespace carrel::wasi {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";

void append_encoded(std::string& to, char c) {
  const auto byte = static_cast<unsigned char>(c);
  to += '%';
  to += kHex[byte >> 4];
  to += kHex[byte & 15];
}

}  // namespace

std::string encode_name(std::string_view name) {
  std::string encoded;
  encoded.reserve(name.size());
  if (name == "." || name == "..") {
    append_encoded(encoded, '.');
    name.remove_prefix(1);
  }
  for (const char c : name) {
    if (c == '/' || c == '%' || c == '\0') {
      append_encoded(encoded, c);
    } else {
      encoded += c;
    }
  }
  return encoded;
}

std::optional<std::string> decode_name(std::string_view encoded) {
  std::string name;
  name.reserve(encoded.size());
  for (std::size_t at = 0; at < encoded.size(); ++at) {
    if (encoded[at] != '%') {
      name += encoded[at];
      continue;
    }
    if (encoded.size() - at < 3) return std::nullopt;
    const int high = hex_digit(encoded[at + 1]), low = hex_digit(encoded[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    name += static_cast<char>(high << 4 | low);
    at += 2;
  }
  return name;
}

}  // namespace carrel::wasi
