// The keys that modules are signed with: ECDSA on P-256 with SHA-256, as cosign's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct evp_pkey_st;

namespace carrel::oci {

inline constexpr std::size_t kMaxKeyFile = 64 << 10;

// Value type; immutable.
class PublicKey {
 public:
  // PEM "PUBLIC KEY", as `cosign generate-key-pair` and `openssl ec -pubout` write it. Errors:
  // invalid_argument.
  static Result<PublicKey> parse(std::string_view pem);

  // `signature` is DER. False as well for what is no signature.
  bool verifies(std::string_view bytes, std::string_view signature) const;
  // SHA-256 of the key as DER: which one it is, in words.
  const std::string& id() const { return id_; }

 private:
  friend class SigningKey;
  static Result<PublicKey> of(std::shared_ptr<evp_pkey_st> key);
  std::shared_ptr<evp_pkey_st> key_;
  std::string id_;
};

// Value type; immutable.
class SigningKey {
 public:
  // PEM: "PRIVATE KEY" and "EC PRIVATE KEY", encrypted or not, and cosign's own. Errors:
  // invalid_argument; unauthenticated when the password is wrong or missing.
  static Result<SigningKey> parse(std::string_view pem, std::string_view password);
  // Whether a password will be needed.
  static bool is_encrypted(std::string_view pem);

  // DER. Errors: internal.
  Result<std::string> sign(std::string_view bytes) const;
  const PublicKey& public_key() const { return public_; }

 private:
  PublicKey public_;
};

// PKCS #8 out of cosign's "ENCRYPTED SIGSTORE PRIVATE KEY". Errors: as `parse`.
Result<std::string> open_cosign_key(std::string_view pem, std::string_view password);
bool is_cosign_key(std::string_view pem);

}  // namespace carrel::oci
