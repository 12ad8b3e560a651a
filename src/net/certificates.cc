#include "net/certificates.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <filesystem>

#include "base/handle.h"

namespace carrel::net {
namespace {

namespace fs = std::filesystem;

// Nobody is there to be asked for a passphrase.
int no_passphrase(char*, int, int, void*) { return -1; }

std::unexpected<Error> refuse(std::string_view what, const std::string& file, const char* help) {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  return fail(Code::invalid_config,
              "cannot use the TLS " + std::string(what) + " " + file + ": " +
                  (reason == nullptr ? "unknown reason" : reason),
              help);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

void free_names(GENERAL_NAMES* names) { GENERAL_NAMES_free(names); }

// The DNS names that a certificate is for.
std::vector<std::string> names_of(SSL_CTX* context) {
  const Handle<GENERAL_NAMES, free_names> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(SSL_CTX_get0_certificate(context), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* const bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    found.push_back(lower({bytes, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))}));
  }
  return found;
}

}  // namespace

Result<Certificates::Context> Certificates::load_pair(const std::string& certificate,
                                                      const std::string& key) {
  ERR_clear_error();
  Context made(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX* const context = made.get();
  if (context == nullptr) return fail(Code::unavailable, "TLS cannot be set up");
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return refuse("certificate", certificate, "give a PEM file with the certificate and its chain");
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return refuse("key", key, "give a PEM file with the private key, without a passphrase");
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return refuse("key", key, "give the key that belongs to the certificate");
  }
  return made;
}

Result<void> Certificates::load_folder(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".pem") files.push_back(at->path());
  }
  if (error)
    return fail(Code::invalid_config, "cannot read the folder of certificates " + folder,
                "give a folder with NAME.pem and NAME.key for each certificate");
  std::ranges::sort(files);  // the last of two for one name counts, whoever reads the folder
  for (const fs::path& file : files) {
    CARREL_TRY(const Context context,
               load_pair(file.native(), fs::path(file).replace_extension(".key").native()));
    for (std::string& name : names_of(context.get())) by_name_[std::move(name)] = context;
  }
  return {};
}

Result<std::shared_ptr<const Certificates>> Certificates::load(const TlsFiles& files) {
  auto made = std::make_shared<Certificates>();
  CARREL_TRY(made->otherwise_, load_pair(files.certificate, files.key));
  if (!files.folder.empty()) CARREL_TRY_VOID(made->load_folder(files.folder));
  return made;
}

SSL_CTX* Certificates::find(std::string_view name) const {
  const std::string wanted = lower(name);
  if (const auto exact = by_name_.find(wanted); exact != by_name_.end()) return exact->second.get();
  const auto dot = wanted.find('.');
  if (dot != std::string::npos) {
    const auto any = by_name_.find("*" + wanted.substr(dot));
    if (any != by_name_.end()) return any->second.get();
  }
  return otherwise_.get();
}

bool Certificates::use(SSL* connection, std::string_view name) const {
  // Not SSL_set_SSL_CTX: with the context, what the listener set (its protocols) would go as well.
  SSL_CTX* const context = find(name);
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, static_cast<void*>(&chain));
  return SSL_use_cert_and_key(connection, SSL_CTX_get0_certificate(context),
                              SSL_CTX_get0_privatekey(context), chain, 1) == 1;
}

}  // namespace carrel::net
