// An issuer's public keys, by way of OpenSSL.
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <memory>

#include "base/base64.h"
#include "tenant/jwt.h"

namespace carrel::tenant {
namespace {

using Json = nlohmann::json;

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;

constexpr std::size_t kCoordinate = 32;  // bytes of a P-256 or Ed25519 number
constexpr std::size_t kLeastRsa = 2048 / 8, kMostRsa = 8192 / 8;

struct Known {
  std::string kid;
  Algorithm algorithm;
  Key key;
};

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string text_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// A base64url member; empty: it is absent, or something else.
std::string number_in(const Json& json, const char* key) {
  return from_base64url(text_in(json, key)).value_or("");
}

Key from_params(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return Key(made);
}

Key rsa_key(const Json& json) {
  const std::string n = number_in(json, "n"), e = number_in(json, "e");
  const Number modulus(BN_bin2bn(bytes_of(n), static_cast<int>(n.size()), nullptr));
  const Number exponent(BN_bin2bn(bytes_of(e), static_cast<int>(e.size()), nullptr));
  if (n.size() > kMostRsa || e.size() > sizeof(std::uint64_t) || !modulus || !exponent ||
      BN_num_bytes(modulus.get()) < static_cast<int>(kLeastRsa) || BN_is_odd(exponent.get()) == 0 ||
      BN_is_one(exponent.get()) != 0) {
    return nullptr;
  }
  const Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return from_params("RSA", builder.get());
}

Key p256_key(const Json& json) {
  const std::string x = number_in(json, "x"), y = number_in(json, "y");
  if (x.size() != kCoordinate || y.size() != kCoordinate) return nullptr;
  const std::string point = "\x04" + x + y;
  const Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  Key key = from_params("EC", builder.get());
  const KeyContext context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
  // The point must be on the curve.
  return context && EVP_PKEY_public_check(context.get()) == 1 ? std::move(key) : nullptr;
}

Key ed25519_key(const Json& json) {
  const std::string x = number_in(json, "x");
  if (x.size() != kCoordinate) return nullptr;
  return Key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size()));
}

// Nothing: it is none that signs tokens here.
std::optional<Known> read_key(const Json& json) {
  if (!json.is_object()) return {};
  const std::string use = text_in(json, "use"), type = text_in(json, "kty"),
                    curve = text_in(json, "crv");
  if (!use.empty() && use != "sig") return {};
  Known known{.kid = text_in(json, "kid"), .algorithm = {}, .key = nullptr};
  if (type == "RSA") {
    known.algorithm = Algorithm::rs256;
    known.key = rsa_key(json);
  } else if (type == "EC" && curve == "P-256") {
    known.algorithm = Algorithm::es256;
    known.key = p256_key(json);
  } else if (type == "OKP" && curve == "Ed25519") {
    known.algorithm = Algorithm::eddsa;
    known.key = ed25519_key(json);
  }
  const std::string alg = text_in(json, "alg");
  if (!known.key || (!alg.empty() && algorithm_of(alg) != known.algorithm)) return {};
  return known;
}

// A JWT has r and s one behind the other; OpenSSL wants them as DER.
std::string der_of(const std::string& signature) {
  if (signature.size() != 2 * kCoordinate) return {};
  const std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>> pair(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes_of(signature), kCoordinate, nullptr);
  BIGNUM* s = BN_bin2bn(bytes_of(signature) + kCoordinate, kCoordinate, nullptr);
  if (!pair || r == nullptr || s == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) return {};
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &out);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  return der;
}

bool signed_by(const Jwt& jwt, EVP_PKEY* key) {
  const bool es256 = jwt.algorithm == Algorithm::es256;
  const std::string signature = es256 ? der_of(jwt.signature) : jwt.signature;
  const Digest context(EVP_MD_CTX_new());
  const EVP_MD* digest = jwt.algorithm == Algorithm::eddsa ? nullptr : EVP_sha256();
  return !signature.empty() && context &&
         EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                          bytes_of(jwt.signed_text), jwt.signed_text.size()) == 1;
}

// A token without a kid may be of any key of its algorithm.
bool may_be(const Jwt& jwt, const Known& known) {
  return known.algorithm == jwt.algorithm && (jwt.kid.empty() || known.kid == jwt.kid);
}

}  // namespace

struct KeySet::Impl {
  std::vector<Known> keys;
};

KeySet::KeySet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KeySet::~KeySet() = default;

Result<std::shared_ptr<const KeySet>> KeySet::parse(std::string_view text) {
  if (text.size() > kMaxJwks) return fail(Code::invalid_config, "the key set is over 1 MiB");
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("keys") || !json["keys"].is_array() ||
      json["keys"].size() > kMaxJwksKeys) {
    return fail(Code::invalid_config,
                fmt::format("it is no key set: {{\"keys\": [...]}} of at most {}", kMaxJwksKeys));
  }
  auto impl = std::make_unique<Impl>();
  for (const Json& each : json["keys"]) {
    if (auto key = read_key(each)) impl->keys.push_back(std::move(*key));
  }
  if (impl->keys.empty())
    return fail(Code::invalid_config, "the key set has no RSA (2048 bits), P-256 or Ed25519 key");
  return std::shared_ptr<const KeySet>(new KeySet(std::move(impl)));
}

std::size_t KeySet::size() const { return impl_->keys.size(); }

bool KeySet::knows(const Jwt& jwt) const {
  return std::ranges::any_of(impl_->keys, [&](const Known& each) { return may_be(jwt, each); });
}

Result<void> KeySet::verify(const Jwt& jwt) const {
  const bool good = std::ranges::any_of(impl_->keys, [&](const Known& each) {
    return may_be(jwt, each) && signed_by(jwt, each.key.get());
  });
  if (good) return {};
  return fail(Code::unauthenticated, "the JWT is not signed by a key of its issuer");
}

}  // namespace carrel::tenant
