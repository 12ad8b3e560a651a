// A private key on the curve P-256: an ACME account's, or a certificate's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct evp_pkey_st;

namespace carrel::acme {

// Immutable; copies share it. Thread-safe.
class Key {
 public:
  // Errors: unavailable when the system has no random bytes.
  static Result<Key> make();
  // Errors: data_corrupt for what is not one in PEM.
  static Result<Key> parse(std::string_view pem);

  std::string pem() const;  // a secret
  // The public key as a JSON Web Key, its members in the order of RFC 7638.
  std::string jwk() const;
  // ECDSA with SHA-256, as JWS has it: two numbers of 32 bytes.
  std::string sign(std::string_view bytes) const;
  // A certificate signing request (DER) for one DNS name, which may be of 253 bytes.
  Result<std::string> request(std::string_view host) const;

 private:
  explicit Key(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace carrel::acme
