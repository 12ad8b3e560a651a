#include "acme/folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "base/files.h"
#include "base/handle.h"
#include "base/node_key.h"
#include "net/x509_time.h"

namespace carrel::acme {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostFile = 256 << 10;

using Certificate = Handle<X509, X509_free>;
using PrivateKey = Handle<EVP_PKEY, EVP_PKEY_free>;

Handle<BIO, BIO_free_all> reader(std::string_view text) {
  return Handle<BIO, BIO_free_all>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Of the first certificate in `pem`, if it is for the name and the key. Nothing: it is not.
std::optional<Lifetime> read_lifetime(std::string_view pem, std::string_view host,
                                      std::string_view key_pem) {
  const auto in = reader(pem), key_in = reader(key_pem);
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  const Certificate leaf(PEM_read_bio_X509(in.get(), nullptr, no_passphrase, nullptr));
  const PrivateKey key(PEM_read_bio_PrivateKey(key_in.get(), nullptr, no_passphrase, nullptr));
  if (!leaf || !key || X509_check_private_key(leaf.get(), key.get()) != 1 ||
      X509_check_host(leaf.get(), host.data(), host.size(), 0, nullptr) != 1) {
    return {};
  }
  const auto begin = net::time_of(X509_get0_notBefore(leaf.get()));
  const auto end = net::time_of(X509_get0_notAfter(leaf.get()));
  if (!begin || !end || *begin >= *end) return {};
  return Lifetime{.begin = *begin, .end = *end};
}

std::unexpected<Error> cannot_write(const fs::path& file) {
  return fail(Code::io, fmt::format("cannot write {}: {}", file.native(), std::strerror(errno)));
}

// Whole or not at all, and for this user only.
Result<void> write_private(const fs::path& file, std::string_view text) {
  const fs::path fresh = file.native() + ".new";
  ::unlink(fresh.c_str());
  const Fd out(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!out || ::write(out.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(out.get()) != 0 || ::rename(fresh.c_str(), file.c_str()) != 0) {
    return cannot_write(file);
  }
  return {};
}

}  // namespace

Result<Folder> Folder::open(fs::path path) {
  Folder folder(std::move(path));
  CARREL_TRY_VOID(open_private_folder(folder.folder_));
  CARREL_TRY_VOID(open_private_folder(folder.certificates()));
  return folder;
}

fs::path Folder::file_of(std::string_view host) const {
  return certificates() / fmt::format("{}.pem", host);
}

Result<Key> Folder::account() const {
  const fs::path file = folder_ / "account.key";
  const auto text = read_file(file, kMostFile);
  if (text) {
    auto key = Key::parse(*text);
    if (!key) return std::unexpected(std::move(key).error().within(file.native()));
    return key;
  }
  if (text.error().code() != Code::not_found) return std::unexpected(text.error());
  CARREL_TRY(Key key, Key::make());
  CARREL_TRY_VOID(write_private(file, key.pem()));
  return key;
}

std::optional<Lifetime> Folder::lifetime(std::string_view host) const {
  const auto text = read_file(file_of(host), kMostFile);
  if (!text) return {};
  return read_lifetime(*text, host, *text);
}

Result<Lifetime> Folder::keep(std::string_view host, std::string_view chain, const Key& key,
                              WallTime now) const {
  const std::string pem = key.pem();
  const auto lifetime = read_lifetime(chain, host, pem);
  if (!lifetime || lifetime->end <= now)
    return fail(Code::egress_bad_response,
                "the ACME server sent no certificate that is good for the name and our key");
  CARREL_TRY_VOID(write_private(file_of(host), fmt::format("{}\n{}", chain, pem)));
  return *lifetime;
}

}  // namespace carrel::acme
