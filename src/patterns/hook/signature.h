// Signatures of requests to endpoints, as Standard Webhooks 1.0.0 has them.
//
// What is signed is `ID.TIMESTAMP.BODY`: v1 is HMAC-SHA256 with a shared key (whsec_), v1a Ed25519
// (whsk_). A secret may hold several keys: each signs, so that receivers can change from one to the
// other at their own time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace carrel::hook {

inline constexpr std::size_t kMostKeys = 8;

class SigningKeys {
 public:
  // Keys with spaces or line ends between them; the newest first. A "whsec_" has 24 to 64 bytes in
  // base64, a "whsk_" 32 (the seed) or 64. Errors: invalid_config that does not repeat the secret.
  static Result<SigningKeys> parse(std::string_view text);

  // The header webhook-signature. `id` has no '.'.
  std::string sign(std::string_view id, std::uint64_t seconds, std::string_view body) const;

 private:
  struct Key {
    enum class Kind : std::uint8_t { shared, own } kind;
    SecretBytes bytes;
  };
  std::vector<Key> keys_;
};

}  // namespace carrel::hook
