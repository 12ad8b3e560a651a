// A self-made certificate in files, for tests.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
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
  explicit TestCertificate(Key kind = Key::plain) {
    std::string folder = (std::filesystem::temp_directory_path() / "carrel-tls-XXXXXX").string();
    folder_ = ::mkdtemp(folder.data());
    const Handle<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
    const Handle<X509, X509_free> certificate(X509_new());
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
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
