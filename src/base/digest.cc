#include "base/digest.h"

#include <openssl/sha.h>

#include <array>

#include "base/hex.h"

namespace carrel {

std::string sha256_hex(std::span<const std::byte> bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return to_hex(std::as_bytes(std::span(digest)));
}

}  // namespace carrel
