#include "base/base64.h"

#include <sodium.h>

namespace carrel {
namespace {

std::string encode(std::string_view bytes, int variant) {
  // With a NUL at its end.
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), variant);
  text.pop_back();
  return text;
}

std::optional<std::string> decode(std::string_view text, int variant) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), nullptr, &size, &end, variant) != 0 ||
      end != text.data() + text.size()) {
    return {};
  }
  bytes.resize(size);
  return bytes;
}

constexpr int kPadded = sodium_base64_VARIANT_ORIGINAL;
constexpr int kUrl = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

}  // namespace

std::string to_base64(std::string_view bytes) { return encode(bytes, kPadded); }
std::optional<std::string> from_base64(std::string_view text) { return decode(text, kPadded); }
std::string to_base64url(std::string_view bytes) { return encode(bytes, kUrl); }
std::optional<std::string> from_base64url(std::string_view text) { return decode(text, kUrl); }

}  // namespace carrel
