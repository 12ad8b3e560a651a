// JSON Web Tokens (RFC 7519, 7515) as others issue them: read strictly, checked against an issuer's
// keys.
//
// Only RS256, ES256 and EdDSA (Ed25519), and only those that the issuer is configured for: `none`
// and HMAC are not known here, so a public key cannot be taken for a secret. What a token says is
// believed only after its signature, its audience and its times have been checked.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace carrel::tenant {

inline constexpr std::size_t kMaxJwt = 16 << 10;  // bytes
inline constexpr std::size_t kMaxJwks = 1 << 20;  // bytes of a key set
inline constexpr std::size_t kMaxJwksKeys = 100;

enum class Algorithm : std::uint8_t { rs256, es256, eddsa };
std::optional<Algorithm> algorithm_of(std::string_view name);  // "RS256"

// What a token says, not believed yet. Value type.
struct Jwt {
  Algorithm algorithm{};
  std::string kid;  // which key; may be empty
  nlohmann::json claims;
  std::string signed_text;
  std::string signature;
};

// Whether it has the form of one: three parts of base64url. Others may be anybody's tokens.
bool looks_like_jwt(std::string_view text);
// Errors: unauthenticated, saying what is wrong (for the log).
Result<Jwt> parse_jwt(std::string_view text);

// An issuer's public keys (RFC 7517). Immutable. Thread-safe.
class KeySet {
 public:
  ~KeySet();
  // Keys that are not ours to use (encryption, symmetric, other curves, RSA under 2048 bits) are
  // left out. Errors: invalid_config when it is no key set, or none is left.
  static Result<std::shared_ptr<const KeySet>> parse(std::string_view json);

  std::size_t size() const;
  // Whether a key that the token may have been signed with is here.
  bool knows(const Jwt& jwt) const;
  // Errors: unauthenticated.
  Result<void> verify(const Jwt& jwt) const;

 private:
  struct Impl;
  explicit KeySet(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct Expected {
  std::string issuer;
  std::vector<std::string> audiences;  // the token is for one of them
  std::vector<Algorithm> algorithms;
};
// Issuer, audience, algorithm, expiry (which it must have), not-before and issue, with a minute's
// leeway for clocks. Errors: unauthenticated.
Result<void> check_claims(const Jwt& jwt, const Expected& expected, WallTime now);

}  // namespace carrel::tenant
