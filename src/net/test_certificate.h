// A self-made certificate in files, for tests: of localhost and 127.0.0.1 unless told.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "base/handle.h"
#include "net/server.h"

namespace carrel::net {

class TestCertificate {
 public:
  enum class Key { plain, with_passphrase };
  enum class Age { fresh, expired };
  explicit TestCertificate(Key kind = Key::plain, Age age = Age::fresh,
                           const char* who = "DNS:localhost,IP:127.0.0.1") {
    std::string folder = (std::filesystem::temp_directory_path() / "carrel-tls-XXXXXX").string();
    folder_ = ::mkdtemp(folder.data());
    const Handle<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
    const Handle<X509, X509_free> certificate(X509_new());
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), age == Age::fresh ? 3600 : -3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_set_version(certificate.get(), X509_VERSION_3);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
    const Handle<X509_EXTENSION, X509_EXTENSION_free> names(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, who));
    X509_add_ext(certificate.get(), names.get(), -1);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    const Handle<std::FILE, std::fclose> certificate_file(
        std::fopen(files().certificate.c_str(), "w"));
    PEM_write_X509(certificate_file.get(), certificate.get());
    const Handle<std::FILE, std::fclose> key_file(std::fopen(files().key.c_str(), "w"));
    const auto* cipher = kind == Key::plain ? nullptr : EVP_aes_128_cbc();
    std::string word = "word";
    PEM_write_PKCS8PrivateKey(key_file.get(), key.get(), cipher, word.data(),
                              static_cast<int>(word.size()), nullptr, nullptr);
  }
  ~TestCertificate() { std::filesystem::remove_all(folder_); }

  TlsFiles files() const {
    return {.certificate = folder_ / "cert.pem", .key = folder_ / "key.pem"};
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace carrel::net
