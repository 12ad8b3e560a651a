// Keys as `cosign generate-key-pair` writes them: scrypt over the password, NaCl's secretbox over
// PKCS #8, as JSON in PEM.
#include <openssl/err.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <array>
#include <nlohmann/json.hpp>

#include "app/oci/keys.h"
#include "base/base64.h"

namespace carrel::oci {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMostMemory = 256ULL << 20;  // that a key's file may have us use
constexpr std::string_view kBegins[] = {"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----",
                                        "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----"};

struct Box {
  std::string salt, nonce, sealed;
  std::uint64_t n = 0, r = 0, p = 0;
};

std::unexpected<Error> bad() {
  return fail(Code::invalid_argument, "the key is not as cosign writes them",
              "make it again with `cosign generate-key-pair`");
}

std::string body_of(std::string_view pem) {
  std::string body;
  for (std::string_view rest = pem; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with("-----")) body += line;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return body;
}

std::uint64_t number_at(const Json& params, const char* key) {
  const auto found = params.find(key);
  return found != params.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

const Json* object_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? &*found : nullptr;
}

bool is_named(const Json& object, const char* name) {
  const auto found = object.find("name");
  return found != object.end() && *found == name;
}

std::string decoded_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return {};
  return from_base64(found->get<std::string>()).value_or("");
}

Result<Box> read_box(std::string_view pem) {
  const auto text = from_base64(body_of(pem));
  const Json json = text ? Json::parse(*text, nullptr, false) : Json();
  if (!json.is_object()) return bad();
  const Json* kdf = object_at(json, "kdf");
  const Json* cipher = object_at(json, "cipher");
  const Json* params = kdf == nullptr ? nullptr : object_at(*kdf, "params");
  if (params == nullptr || cipher == nullptr || !is_named(*kdf, "scrypt") ||
      !is_named(*cipher, "nacl/secretbox")) {
    return bad();
  }
  Box box{.salt = decoded_at(*kdf, "salt"),
          .nonce = decoded_at(*cipher, "nonce"),
          .sealed = decoded_at(json, "ciphertext"),
          .n = number_at(*params, "N"),
          .r = number_at(*params, "r"),
          .p = number_at(*params, "p")};
  constexpr std::uint64_t kMostN = 1 << 20, kMostR = 64, kMostP = 16;
  const bool sane = box.n <= kMostN && box.r <= kMostR && box.p >= 1 && box.p <= kMostP &&
                    box.nonce.size() == crypto_secretbox_NONCEBYTES &&
                    box.sealed.size() > crypto_secretbox_MACBYTES;
  if (!sane) return bad();
  return box;
}

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

bool is_cosign_key(std::string_view pem) {
  return pem.contains(kBegins[0]) || pem.contains(kBegins[1]);
}

Result<std::string> open_cosign_key(std::string_view pem, std::string_view password) {
  if (pem.size() > kMaxKeyFile) return bad();
  CARREL_TRY(const Box box, read_box(pem));
  std::array<unsigned char, crypto_secretbox_KEYBYTES> key{};
  if (EVP_PBE_scrypt(password.data(), password.size(), bytes_of(box.salt), box.salt.size(), box.n,
                     box.r, box.p, kMostMemory, key.data(), key.size()) != 1) {
    ERR_clear_error();
    return bad();
  }
  std::string opened(box.sealed.size() - crypto_secretbox_MACBYTES, '\0');
  const int status = crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(opened.data()),
                                                bytes_of(box.sealed), box.sealed.size(),
                                                bytes_of(box.nonce), key.data());
  sodium_memzero(key.data(), key.size());
  if (status == 0) return opened;
  return fail(Code::unauthenticated, "the key's password is wrong or missing");
}

}  // namespace carrel::oci
