#include "app/oci/keys.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/digest.h"
#include "base/handle.h"

namespace carrel::oci {
namespace {

using Key = std::shared_ptr<EVP_PKEY>;
using Bio = Handle<BIO, BIO_free_all>;
using Context = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

std::unexpected<Error> bad_key(std::string_view why) {
  ERR_clear_error();
  return fail(Code::invalid_argument, "the key cannot be used: " + std::string(why),
              "make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "
              "key.pem; its public half: openssl pkey -in key.pem -pubout -out key.pub");
}

Result<Bio> reader_of(std::string_view pem) {
  if (pem.size() > kMaxKeyFile) return bad_key("its file is too large");
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool is_p256(EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
         std::string_view(group.data(), size) == "prime256v1";
}

// OpenSSL would ask on the terminal otherwise.
int give_password(char* into, int room, int, void* user) {
  const auto* password = static_cast<const std::string_view*>(user);
  if (password->empty() || password->size() > static_cast<std::size_t>(room)) return -1;
  std::memcpy(into, password->data(), password->size());
  return static_cast<int>(password->size());
}

Result<Key> read_pkcs8(const std::string& der) {
  const unsigned char* at = bytes_of(der);
  Key key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())), EVP_PKEY_free);
  if (!key) return bad_key("it is no private key");
  return key;
}

Result<Key> read_pem(std::string_view pem, std::string_view password) {
  CARREL_TRY(const Bio reader, reader_of(pem));
  Key key(PEM_read_bio_PrivateKey(reader.get(), nullptr, give_password, &password), EVP_PKEY_free);
  if (key) return key;
  if (!SigningKey::is_encrypted(pem)) return bad_key("it is no private key in PEM");
  ERR_clear_error();
  return fail(Code::unauthenticated, "the key's password is wrong or missing");
}

}  // namespace

Result<PublicKey> PublicKey::of(Key key) {
  if (!is_p256(key.get())) return bad_key("it is not of the kind ECDSA P-256");
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  if (size <= 0) return bad_key("it has no public half");
  PublicKey made;
  made.id_ = sha256_hex(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  made.key_ = std::move(key);
  return made;
}

Result<PublicKey> PublicKey::parse(std::string_view pem) {
  CARREL_TRY(const Bio reader, reader_of(pem));
  Key key(PEM_read_bio_PUBKEY(reader.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (!key) return bad_key("it is no public key in PEM");
  return of(std::move(key));
}

bool PublicKey::verifies(std::string_view bytes, std::string_view signature) const {
  const Context context(EVP_MD_CTX_new());
  const bool valid =
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
      EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(bytes),
                       bytes.size()) == 1;
  ERR_clear_error();
  return valid;
}

bool SigningKey::is_encrypted(std::string_view pem) {
  return is_cosign_key(pem) || pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") ||
         pem.contains("Proc-Type: 4,ENCRYPTED");
}

Result<SigningKey> SigningKey::parse(std::string_view pem, std::string_view password) {
  Key key;
  if (is_cosign_key(pem)) {
    CARREL_TRY(const std::string der, open_cosign_key(pem, password));
    CARREL_TRY(key, read_pkcs8(der));
  } else {
    CARREL_TRY(key, read_pem(pem, password));
  }
  SigningKey signing;
  CARREL_TRY(signing.public_, PublicKey::of(std::move(key)));
  return signing;
}

Result<std::string> SigningKey::sign(std::string_view bytes) const {
  const Context context(EVP_MD_CTX_new());
  std::size_t size = 0;
  std::string signature;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, public_.key_.get()) == 1 &&
      EVP_DigestSign(context.get(), nullptr, &size, bytes_of(bytes), bytes.size()) == 1) {
    signature.resize(size);
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       bytes_of(bytes), bytes.size()) == 1) {
      signature.resize(size);
      return signature;
    }
  }
  ERR_clear_error();
  return fail(Code::internal, "nothing can be signed with this key");
}

}  // namespace carrel::oci
