#include "patterns/hook/signature.h"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <optional>

#include "base/base64.h"

namespace carrel::hook {
namespace {

constexpr std::string_view kShared = "whsec_", kOwn = "whsk_";
constexpr std::string_view kSpaces = " \t\r\n";

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
std::string_view text_of(std::span<const unsigned char> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string sign_shared(std::string_view key, std::string_view content) {
  crypto_auth_hmacsha256_state state;
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> tag{};
  crypto_auth_hmacsha256_init(&state, raw(key), key.size());
  crypto_auth_hmacsha256_update(&state, raw(content), content.size());
  crypto_auth_hmacsha256_final(&state, tag.data());
  sodium_memzero(&state, sizeof state);
  return "v1," + to_base64(text_of(tag));
}

std::string sign_own(std::string_view seed, std::string_view content) {
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> open{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret{};
  std::array<unsigned char, crypto_sign_BYTES> signature{};
  crypto_sign_seed_keypair(open.data(), secret.data(), raw(seed));
  crypto_sign_detached(signature.data(), nullptr, raw(content), content.size(), secret.data());
  sodium_memzero(secret.data(), secret.size());
  return "v1a," + to_base64(text_of(signature));
}

// The base64 of a key, with or without its padding.
std::optional<SecretBytes> key_bytes(std::string_view text) {
  std::string padded(text);
  while (padded.size() % 4 != 0) padded += '=';
  auto bytes = from_base64(padded);
  wipe(padded);
  if (!bytes) return {};
  SecretBytes key(*bytes);
  wipe(*bytes);
  return key;
}

}  // namespace

Result<SigningKeys> SigningKeys::parse(std::string_view text) {
  SigningKeys made;
  for (;;) {
    const auto begin = text.find_first_not_of(kSpaces);
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(kSpaces));
    text.remove_prefix(word.size());
    const bool own = word.starts_with(kOwn);
    if (!own && !word.starts_with(kShared))
      return fail(Code::invalid_config, "a key begins with whsec_ or whsk_");
    auto bytes = key_bytes(word.substr(own ? kOwn.size() : kShared.size()));
    if (!bytes) return fail(Code::invalid_config, "a key is not base64");
    const std::size_t size = bytes->size();
    if (own ? size != crypto_sign_SEEDBYTES && size != crypto_sign_SECRETKEYBYTES
            : size < 24 || size > 64) {
      return fail(Code::invalid_config,
                  own ? "a whsk_ key has 32 or 64 bytes" : "a whsec_ key has 24 to 64 bytes");
    }
    if (own) bytes->shorten(crypto_sign_SEEDBYTES);  // the public half follows from it
    if (made.keys_.size() == kMostKeys)
      return fail(Code::invalid_config, fmt::format("a secret has at most {} keys", kMostKeys));
    made.keys_.push_back({own ? Key::Kind::own : Key::Kind::shared, std::move(*bytes)});
  }
  if (made.keys_.empty()) return fail(Code::invalid_config, "there is no key");
  return made;
}

std::string SigningKeys::sign(std::string_view id, std::uint64_t seconds,
                              std::string_view body) const {
  const std::string content = fmt::format("{}.{}.{}", id, seconds, body);
  std::string header;
  for (const Key& key : keys_) {
    if (!header.empty()) header += ' ';
    header += key.kind == Key::Kind::own ? sign_own(key.bytes.view(), content)
                                         : sign_shared(key.bytes.view(), content);
  }
  return header;
}

}  // namespace carrel::hook
