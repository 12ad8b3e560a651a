#include "net/certificates.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <ranges>

#include "base/handle.h"
#include "net/x509_time.h"

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

struct Pair {
  std::string certificate, key;
};

// In order of names. The key is in a file of its own, if there is one.
Result<std::vector<Pair>> pem_files(const std::string& folder) {
  std::error_code error;
  std::vector<Pair> pairs;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != ".pem") continue;
    const fs::path key = fs::path(at->path()).replace_extension(".key");
    std::error_code none;
    const bool apart = fs::exists(key, none);
    pairs.push_back({at->path().native(), apart ? key.native() : at->path().native()});
  }
  if (error)
    return fail(Code::invalid_config, "cannot read the folder of certificates " + folder,
                "give a folder with NAME.pem and NAME.key for each certificate");
  std::ranges::sort(pairs, {}, &Pair::certificate);
  return pairs;
}

// The folder may be written with a slash at its end.
bool lies_in(const fs::path& file, const fs::path& folder) {
  return file.parent_path() == (folder / "x").parent_path();
}

// What tells a changed file, also one that was renamed into place.
void add_look(const std::string& file, std::string& look) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) status = {};
  look += fmt::format("{} {} {} {}.{}\n", file, status.st_ino, status.st_size,
                      status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
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

std::string look_of(const TlsFiles& files) {
  std::string look;
  add_look(files.certificate, look);
  add_look(files.key, look);
  for (const std::string& folder : files.folders) {
    for (const auto& [file, key] : pem_files(folder).value_or(std::vector<Pair>())) {
      add_look(file, look);
      add_look(key, look);
    }
  }
  return look;
}

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

void Certificates::load_folder(const std::string& folder, const Certificates* before,
                               std::vector<Error>& problems) {
  const auto files = pem_files(folder);
  if (!files) problems.push_back(files.error());
  for (const auto& [file, key] : files.value_or(std::vector<Pair>())) {
    auto context = load_pair(file, key);
    if (context) {
      by_file_[file] = std::move(*context);
      continue;
    }
    problems.push_back(std::move(context).error());
    if (before == nullptr) continue;
    if (const auto old = before->by_file_.find(file); old != before->by_file_.end())
      by_file_.insert(*old);
  }
  if (files || before == nullptr) return;
  for (const auto& old : before->by_file_) {
    if (lies_in(old.first, folder)) by_file_.insert(old);
  }
}

// The last of two for one name counts.
void Certificates::name_those_in(const std::string& folder) {
  for (const auto& each : by_file_) {
    if (!lies_in(each.first, folder)) continue;
    for (std::string& name : names_of(each.second.get())) by_name_[std::move(name)] = &each;
  }
}

Certificates::Loaded Certificates::load(const TlsFiles& files, const Certificates* before) {
  auto made = std::make_shared<Certificates>();
  std::vector<Error> problems;
  if (!files.certificate.empty()) {
    auto pair = load_pair(files.certificate, files.key);
    if (!pair) problems.push_back(pair.error());
    if (pair) made->otherwise_ = std::move(*pair);
    if (!pair && before != nullptr) made->otherwise_ = before->otherwise_;
  }
  for (const std::string& folder : files.folders) made->load_folder(folder, before, problems);
  for (const std::string& folder : files.folders | std::views::reverse) made->name_those_in(folder);
  return {.certificates = std::move(made), .problems = std::move(problems)};
}

const Certificates::ByFile::value_type* Certificates::find(std::string_view name) const {
  const std::string wanted = lower(name);
  if (const auto exact = by_name_.find(wanted); exact != by_name_.end()) return exact->second;
  const auto dot = wanted.find('.');
  if (dot != std::string::npos) {
    const auto any = by_name_.find("*" + wanted.substr(dot));
    if (any != by_name_.end()) return any->second;
  }
  return nullptr;
}

std::optional<CertificateInUse> Certificates::in_use(std::string_view name) const {
  const auto* const own = find(name);
  const SSL_CTX* const context = own != nullptr ? own->second.get() : otherwise_.get();
  if (context == nullptr) return {};
  X509* const leaf = SSL_CTX_get0_certificate(context);
  if (own == nullptr && X509_check_host(leaf, name.data(), name.size(), 0, nullptr) != 1) return {};
  const auto until = time_of(X509_get0_notAfter(leaf));
  if (!until) return {};
  return CertificateInUse{.file = own != nullptr ? own->first : std::string(), .until = *until};
}

bool Certificates::use(SSL* connection, std::string_view name) const {
  // Not SSL_set_SSL_CTX: with the context, what the listener set (its protocols) would go as well.
  const auto* const own = find(name);
  SSL_CTX* const context = own != nullptr ? own->second.get() : otherwise_.get();
  if (context == nullptr) return false;
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, static_cast<void*>(&chain));
  return SSL_use_cert_and_key(connection, SSL_CTX_get0_certificate(context),
                              SSL_CTX_get0_privatekey(context), chain, 1) == 1;
}

}  // namespace carrel::net
