// An issuer of JSON Web Tokens for tests: it makes its key, publishes it, and signs.
#pragma once

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <string>
#include <utility>

#include "base/base64.h"
#include "tenant/jwt.h"

namespace carrel::tenant {

inline const WallTime kNow{std::chrono::seconds(1'800'000'000)};
inline const Expected kExpected{
    .issuer = "https://id.example",
    .audiences = {"shop", "other"},
    .algorithms = {Algorithm::rs256, Algorithm::es256, Algorithm::eddsa}};

inline std::string number(EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &value), 1);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
  BN_bn2bin(value, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(value);
  if (bytes.size() < 32 && bytes.size() > 8) bytes.insert(0, 32 - bytes.size(), '\0');
  return bytes;
}

// An issuer with one key.
struct TestIssuer {
  enum class Type { rsa, p256, ed25519 };
  explicit TestIssuer(Type t, std::string id = "k1", unsigned bits = 2048)
      : type(t), kid(std::move(id)) {
    key = type == Type::rsa    ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{bits})
          : type == Type::p256 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                               : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  ~TestIssuer() { EVP_PKEY_free(key); }
  TestIssuer(const TestIssuer&) = delete;
  TestIssuer& operator=(const TestIssuer&) = delete;

  std::string alg() const {
    return type == Type::rsa ? "RS256" : type == Type::p256 ? "ES256" : "EdDSA";
  }
  nlohmann::json jwk() const {
    nlohmann::json json = {{"kid", kid}, {"use", "sig"}};
    if (type == Type::rsa) {
      json["kty"] = "RSA";
      json["n"] = to_base64url(number(key, OSSL_PKEY_PARAM_RSA_N));
      json["e"] = to_base64url(number(key, OSSL_PKEY_PARAM_RSA_E));
    } else if (type == Type::p256) {
      json["kty"] = "EC";
      json["crv"] = "P-256";
      json["x"] = to_base64url(number(key, OSSL_PKEY_PARAM_EC_PUB_X));
      json["y"] = to_base64url(number(key, OSSL_PKEY_PARAM_EC_PUB_Y));
    } else {
      std::string raw(32, '\0');
      std::size_t size = raw.size();
      EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &size);
      json["kty"] = "OKP";
      json["crv"] = "Ed25519";
      json["x"] = to_base64url(raw);
    }
    return json;
  }
  std::string key_set() const {
    return nlohmann::json{{"keys", nlohmann::json::array({jwk()})}}.dump();
  }

  std::string sign(const nlohmann::json& header, const nlohmann::json& claims) const {
    const std::string text = to_base64url(header.dump()) + "." + to_base64url(claims.dump());
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestSignInit(context, nullptr, type == Type::ed25519 ? nullptr : EVP_sha256(), nullptr,
                       key);
    std::size_t size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    EVP_DigestSign(context, nullptr, &size, bytes, text.size());
    std::string signature(size, '\0');
    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                   text.size());
    signature.resize(size);
    EVP_MD_CTX_free(context);
    return text + "." + to_base64url(type == Type::p256 ? raw_of(signature) : signature);
  }
  std::string sign(const nlohmann::json& claims) const {
    return sign({{"alg", alg()}, {"kid", kid}, {"typ", "JWT"}}, claims);
  }
  static std::string raw_of(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    std::string raw(64, '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + 32, 32);
    ECDSA_SIG_free(pair);
    return raw;
  }

  Type type;
  std::string kid;
  EVP_PKEY* key;
};

inline nlohmann::json good_claims() {
  return {{"iss", "https://id.example"}, {"aud", "shop"}, {"sub", "ada"}, {"exp", 1'800'000'100}};
}

}  // namespace carrel::tenant
