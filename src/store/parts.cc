#include "store/parts.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <set>
#include <system_error>

#include "base/fd.h"
#include "base/files.h"

namespace carrel::store {
namespace {

constexpr std::size_t kHash = std::tuple_size_v<PartHash>;
constexpr char kDigits[] = "0123456789abcdef";

std::string hex(const PartHash& hash) {
  std::string text;
  for (std::uint8_t byte : hash) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<PartHash> unhex(std::string_view text) {
  if (text.size() != 2 * kHash) return std::nullopt;
  PartHash hash;
  for (std::size_t i = 0; i < kHash; ++i) {
    int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return hash;
}

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// No choice of a tenant's name leaves the folder: dots and slashes are encoded.
std::string folder_name(const TenantName& tenant) {
  std::string name;
  for (char c : tenant.str()) {
    if (plain(c)) {
      name += c;
    } else {
      auto byte = static_cast<std::uint8_t>(c);
      name += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return name;
}

std::optional<TenantName> tenant_of(std::string_view name) {
  std::string tenant;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '%') {
      tenant += name[i];
      continue;
    }
    if (i + 2 >= name.size()) return std::nullopt;
    int high = digit(name[i + 1]), low = digit(name[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    tenant += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return TenantName(std::move(tenant));
}

std::unexpected<Error> failed(std::string_view what, int error) {
  Code code = error == ENOSPC || error == EDQUOT ? Code::store_full : Code::io;
  return fail(code, std::string(what) + ": " + std::generic_category().message(error));
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return failed("cannot sync a folder of parts", errno);
  return {};
}

Result<void> write_synced(const std::filesystem::path& file, std::string_view bytes) {
  Fd fd(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) return failed("cannot make a part", errno);
  while (!bytes.empty()) {
    ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("cannot write a part", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  if (fsync(fd.get()) != 0) return failed("cannot sync a part", errno);
  return {};
}

}  // namespace

std::string encode(const BlobManifest& manifest) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(manifest.size >> shift & 0xff);
  }
  for (const PartHash& hash : manifest.parts) bytes.append(hash.begin(), hash.end());
  return bytes;
}

std::optional<BlobManifest> decode_manifest(std::string_view bytes) {
  if (bytes.size() < 8 || (bytes.size() - 8) % kHash != 0) return std::nullopt;
  BlobManifest manifest;
  for (char c : bytes.substr(0, 8))
    manifest.size = manifest.size << 8 | static_cast<std::uint8_t>(c);
  std::uint64_t parts = manifest.size / kPartBytes + (manifest.size % kPartBytes != 0);
  if ((bytes.size() - 8) / kHash != parts) return std::nullopt;
  manifest.parts.resize(parts);
  for (std::size_t i = 0; i < parts; ++i) {
    bytes.copy(reinterpret_cast<char*>(manifest.parts[i].data()), kHash, 8 + i * kHash);
  }
  return manifest;
}

PartHash hash_of_part(std::string_view bytes) {
  PartHash hash;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
  return hash;
}

struct Parts::Impl {
  std::mutex mutex;                         // pins; held while a file is removed
  std::map<std::string, std::size_t> pins;  // by path below the folder
  std::mutex making;                        // of the tenants' folders
  std::set<std::string> made;               // known to be on the disk
  std::atomic<std::uint64_t> next_name = 0;
};

Parts::Parts(std::filesystem::path folder)
    : folder_(std::move(folder)), impl_(std::make_unique<Impl>()) {}
Parts::~Parts() = default;

Parts::Pin::Pin(Pin&& other) noexcept
    : parts_(std::exchange(other.parts_, nullptr)), key_(std::move(other.key_)) {}

Parts::Pin& Parts::Pin::operator=(Pin&& other) noexcept {
  std::swap(parts_, other.parts_);
  std::swap(key_, other.key_);
  return *this;
}

Parts::Pin::~Pin() {
  if (!parts_) return;
  std::lock_guard lock(parts_->impl_->mutex);
  auto found = parts_->impl_->pins.find(key_);
  if (--found->second == 0) parts_->impl_->pins.erase(found);
}

Parts::Pin Parts::pin(const TenantName& tenant, const PartHash& hash) {
  Pin pin;
  pin.key_ = folder_name(tenant) + '/' + hex(hash);
  std::lock_guard lock(impl_->mutex);
  ++impl_->pins[pin.key_];
  pin.parts_ = this;
  return pin;
}

Result<void> Parts::write(const TenantName& tenant, const PartHash& hash, std::string_view bytes) {
  std::string name = folder_name(tenant);
  std::filesystem::path folder = folder_ / name;
  {
    std::lock_guard lock(impl_->making);
    if (!impl_->made.contains(name)) {
      if (mkdir(folder_.c_str(), 0700) == 0) {
        CARREL_TRY_VOID(sync_folder(folder_.parent_path()));
      }
      if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
        return failed("cannot make a folder for parts", errno);
      }
      CARREL_TRY_VOID(sync_folder(folder_));
      impl_->made.insert(name);
    }
  }
  std::filesystem::path file = folder / hex(hash);
  struct stat found;
  bool there =
      stat(file.c_str(), &found) == 0 && static_cast<std::uint64_t>(found.st_size) == bytes.size();
  if (!there) {
    std::filesystem::path fresh = file;
    fresh += "." + std::to_string(impl_->next_name++) + ".new";
    auto written = write_synced(fresh, bytes);
    if (written && rename(fresh.c_str(), file.c_str()) != 0) {
      written = failed("cannot name a part", errno);
    }
    if (!written) {
      unlink(fresh.c_str());
      return written;
    }
  }
  // Also when it was there: who named it may not have synced the folder yet.
  return sync_folder(folder);
}

Result<std::string> Parts::read(const TenantName& tenant, const PartHash& hash) const {
  CARREL_TRY(std::string bytes,
             read_file(folder_ / folder_name(tenant) / hex(hash), 2 * kPartBytes));
  if (hash_of_part(bytes) != hash) {
    return fail(Code::data_corrupt, "the part " + hex(hash) + " is damaged",
                "restore it from a backup");
  }
  return bytes;
}

Result<bool> Parts::remove(const TenantName& tenant, const PartHash& hash) {
  std::string key = folder_name(tenant) + '/' + hex(hash);
  std::lock_guard lock(impl_->mutex);
  if (impl_->pins.contains(key)) return false;
  if (unlink((folder_ / key).c_str()) != 0 && errno != ENOENT) {
    return failed("cannot remove a part", errno);
  }
  return true;
}

Result<std::vector<Parts::Found>> Parts::all() const {
  std::vector<Found> all;
  std::error_code error;
  for (std::filesystem::directory_iterator tenants(folder_, error), end; !error && tenants != end;
       tenants.increment(error)) {
    auto tenant = tenant_of(tenants->path().filename().native());
    if (!tenant || !tenants->is_directory(error)) continue;
    std::filesystem::directory_iterator files(tenants->path(), error);
    for (; !error && files != end; files.increment(error)) {
      auto hash = unhex(files->path().filename().native());
      if (!hash) continue;   // one that is being written
      std::error_code gone;  // removed meanwhile
      auto bytes = files->file_size(gone);
      auto written = gone ? std::filesystem::file_time_type() : files->last_write_time(gone);
      if (!gone) all.push_back({*tenant, *hash, bytes, written});
    }
    if (error) break;
  }
  if (error) return failed("cannot list the parts", error.value());
  return all;
}

}  // namespace carrel::store
