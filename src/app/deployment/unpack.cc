#include "app/deployment/unpack.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <system_error>

#include "app/problems.h"
#include "base/fd.h"

namespace carrel::deployment {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> failed(const fs::path& path, int error) {
  const Code code = error == ENOSPC || error == EDQUOT ? Code::store_full : Code::io;
  return fail(code, fmt::format("cannot write {}: {}", path.native(),
                                std::generic_category().message(error)));
}

Result<void> append(const Fd& fd, const fs::path& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

std::unexpected<Error> not_what_it_says(const BundleFile& file) {
  return fail(Code::invalid_argument,
              fmt::format("{} is not what its digest and size say", app::in_quotes(file.path)));
}

// Synced: a folder that outlives a crash holds its files whole.
Result<void> join(const store::Parts& parts, const TenantName& tenant, const BundleFile& file,
                  const fs::path& path) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return failed(path, errno);
  crypto_hash_sha256_state whole;
  crypto_hash_sha256_init(&whole);
  std::uint64_t left = file.size;
  for (const auto& hash : file.parts) {
    CARREL_TRY(const std::string bytes, parts.read(tenant, hash));
    if (bytes.size() != std::min<std::uint64_t>(left, store::kPartBytes))
      return not_what_it_says(file);
    left -= bytes.size();
    crypto_hash_sha256_update(&whole, reinterpret_cast<const unsigned char*>(bytes.data()),
                              bytes.size());
    CARREL_TRY_VOID(append(fd, path, bytes));
  }
  store::PartHash digest{};
  crypto_hash_sha256_final(&whole, digest.data());
  if (digest != file.digest || left != 0) return not_what_it_says(file);
  if (::fsync(fd.get()) != 0) return failed(path, errno);
  return {};
}

Result<void> place(const store::Parts& parts, const TenantName& tenant, const BundleFile& file,
                   const fs::path& path) {
  if (file.parts.size() != 1) return join(parts, tenant, file, path);
  CARREL_TRY_VOID(parts.link(tenant, file.parts.front(), path));
  std::error_code error;
  if (fs::file_size(path, error) != file.size || error) return not_what_it_says(file);
  return {};
}

Result<void> fill(const store::Parts& parts, const TenantName& tenant, const Bundle& bundle,
                  const fs::path& folder) {
  std::error_code error;
  for (const BundleFile& file : bundle.files) {
    const fs::path path = folder / file.path;
    fs::create_directories(path.parent_path(), error);
    if (error) return failed(path, error.value());
    CARREL_TRY_VOID(place(parts, tenant, file, path));
  }
  return {};
}

// A folder that a loss of power left with names and without content would be of another size.
bool is_whole(const Bundle& bundle, const fs::path& folder) {
  for (const BundleFile& file : bundle.files) {
    std::error_code error;
    if (fs::file_size(folder / file.path, error) != file.size || error) return false;
  }
  return true;
}

}  // namespace

std::vector<store::PartUse> parts_of(const Bundle& bundle) {
  std::map<store::PartHash, std::uint32_t> sizes;
  for (const BundleFile& file : bundle.files) {
    auto left = file.size;
    for (const auto& hash : file.parts) {
      const auto bytes = std::min<std::uint64_t>(left, store::kPartBytes);
      sizes[hash] = static_cast<std::uint32_t>(bytes);
      left -= bytes;
    }
  }
  std::vector<store::PartUse> parts;
  parts.reserve(sizes.size());
  for (const auto& [hash, bytes] : sizes) parts.push_back({.hash = hash, .bytes = bytes});
  return parts;
}

std::vector<store::PartHash> missing_parts(const store::Parts& parts, const TenantName& tenant,
                                           const Bundle& bundle) {
  std::vector<store::PartHash> missing;
  for (const store::PartUse& part : parts_of(bundle)) {
    if (!parts.has(tenant, part.hash)) missing.push_back(part.hash);
  }
  return missing;
}

Result<void> unpack(const store::Parts& parts, const TenantName& tenant, const Bundle& bundle,
                    const fs::path& folder) {
  if (is_whole(bundle, folder)) return {};
  std::error_code error;
  fs::path fresh = folder;
  fresh += ".new";
  fs::remove_all(fresh, error);
  fs::remove_all(folder, error);
  fs::create_directories(fresh, error);
  if (error) return failed(fresh, error.value());
  auto filled = fill(parts, tenant, bundle, fresh);
  if (filled) {
    fs::rename(fresh, folder, error);
    if (error) filled = failed(folder, error.value());
  }
  if (!filled) fs::remove_all(fresh, error);
  return filled;
}

}  // namespace carrel::deployment
