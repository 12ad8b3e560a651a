#include "acme/jws.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/base64.h"

namespace carrel::acme {

using Json = nlohmann::json;

std::string signed_text(const Key& key, const Said& said) {
  Json head = {{"alg", "ES256"}, {"nonce", said.nonce}, {"url", said.url}};
  if (said.account.empty()) {
    head["jwk"] = Json::parse(key.jwk());
  } else {
    head["kid"] = said.account;
  }
  const std::string protected_part = to_base64url(head.dump());
  const std::string payload = to_base64url(said.payload);
  const std::string signature =
      to_base64url(key.sign(fmt::format("{}.{}", protected_part, payload)));
  return Json{{"protected", protected_part}, {"payload", payload}, {"signature", signature}}.dump();
}

std::string thumbprint(const Key& key) {
  const std::string jwk = key.jwk();
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(jwk.data()), jwk.size(), digest.data());
  return to_base64url({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string key_authorization(const Key& key, std::string_view token) {
  return fmt::format("{}.{}", token, thumbprint(key));
}

}  // namespace carrel::acme
