#include "acme/key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>

#include "base/base64.h"
#include "base/handle.h"

namespace carrel::acme {
namespace {

constexpr std::size_t kNumber = 32;  // bytes of a P-256 number

void free_extensions(STACK_OF(X509_EXTENSION) * all) {
  sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
}

std::string number(const BIGNUM* of) {
  std::array<unsigned char, kNumber> bytes{};
  BN_bn2binpad(of, bytes.data(), kNumber);
  return {reinterpret_cast<const char*>(bytes.data()), kNumber};
}

std::string coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  EVP_PKEY_get_bn_param(key, name, &value);
  const Handle<BIGNUM, BN_free> owner(value);
  return owner ? number(value) : std::string();
}

bool is_p256(EVP_PKEY* key) {
  std::array<char, 32> group{};
  return EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1 &&
         std::string_view(group.data()) == "prime256v1";
}

std::unexpected<Error> cannot(const char* what) {
  return fail(Code::unavailable, fmt::format("OpenSSL cannot {}", what));
}

}  // namespace

Result<Key> Key::make() {
  std::shared_ptr<EVP_PKEY> made(EVP_EC_gen("P-256"), EVP_PKEY_free);
  if (!made) return cannot("make a key");
  return Key(std::move(made));
}

Result<Key> Key::parse(std::string_view pem) {
  const Handle<BIO, BIO_free_all> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  std::shared_ptr<EVP_PKEY> key(
      in ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr) : nullptr,
      EVP_PKEY_free);
  if (!key || !is_p256(key.get())) return fail(Code::data_corrupt, "it is no P-256 key in PEM");
  return Key(std::move(key));
}

std::string Key::pem() const {
  const Handle<BIO, BIO_free_all> out(BIO_new(BIO_s_secmem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string Key::jwk() const {
  return fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})",
                     to_base64url(coordinate(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X)),
                     to_base64url(coordinate(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y)));
}

std::string Key::sign(std::string_view bytes) const {
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  std::array<unsigned char, 128> der{};
  std::size_t size = der.size();
  if (!context ||
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), der.data(), &size,
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) != 1) {
    return {};
  }
  const unsigned char* at = der.data();
  const Handle<ECDSA_SIG, ECDSA_SIG_free> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  if (!signature) return {};
  return number(ECDSA_SIG_get0_r(signature.get())) + number(ECDSA_SIG_get0_s(signature.get()));
}

// Without a subject: names of more than 64 bytes fit no common name, and none is needed.
Result<std::string> Key::request(std::string_view host) const {
  const Handle<X509_REQ, X509_REQ_free> request(X509_REQ_new());
  const Handle<STACK_OF(X509_EXTENSION), free_extensions> extensions(sk_X509_EXTENSION_new_null());
  const std::string names = fmt::format("DNS:{}", host);
  X509_EXTENSION* const name =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  if (!request || !extensions || name == nullptr) return cannot("make a signing request");
  sk_X509_EXTENSION_push(extensions.get(), name);
  if (X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), key_.get()) != 1 ||
      X509_REQ_add_extensions(request.get(), extensions.get()) != 1 ||
      X509_REQ_sign(request.get(), key_.get(), EVP_sha256()) <= 0) {
    return cannot("make a signing request");
  }
  std::string der(static_cast<std::size_t>(i2d_X509_REQ(request.get(), nullptr)), '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  i2d_X509_REQ(request.get(), &at);
  return der;
}

}  // namespace carrel::acme
