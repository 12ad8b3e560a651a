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
#include <utility>

#include "base/fd.h"
#include "base/files.h"
#include "store/part_names.h"

namespace carrel::store {
namespace {

constexpr std::size_t kHash = std::tuple_size_v<PartHash>;

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
  std::mutex mutex;  // pins, holds and damage; locked while a file is removed
  // By path below the folder, how often it is pinned; 0: condemned.
  std::map<std::string, std::size_t> pins;
  std::size_t holds = 0;
  std::set<std::string> damaged;  // likewise
  OnDamage on_damage;
  std::mutex making;           // of the tenants' folders
  std::set<std::string> made;  // known to be on the disk
  std::atomic<std::uint64_t> next_name = 0;
};

Parts::Parts(std::filesystem::path folder, OnDamage on_damage)
    : folder_(std::move(folder)), impl_(std::make_unique<Impl>()) {
  impl_->on_damage = std::move(on_damage);
}
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

Parts::Hold::Hold(Parts& parts) : parts_(parts) {
  const std::lock_guard lock(parts_.impl_->mutex);
  ++parts_.impl_->holds;
}

Parts::Hold::~Hold() {
  const std::lock_guard lock(parts_.impl_->mutex);
  --parts_.impl_->holds;
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
  auto kept = look(name + '/' + hex(hash), hash);
  if (!kept) CARREL_TRY_VOID(put(folder / hex(hash), bytes));
  // Also when it was there: who named it may not have synced the folder yet.
  CARREL_TRY_VOID(sync_folder(folder));
  if (!kept) {
    const std::lock_guard lock(impl_->mutex);
    impl_->damaged.erase(name + '/' + hex(hash));
  }
  return {};
}

Result<void> Parts::put(const std::filesystem::path& file, std::string_view bytes) {
  std::filesystem::path fresh = file;
  fresh += "." + std::to_string(impl_->next_name++) + ".new";
  auto written = write_synced(fresh, bytes);
  if (written && rename(fresh.c_str(), file.c_str()) != 0) {
    written = failed("cannot name a part", errno);
  }
  if (!written) unlink(fresh.c_str());
  return written;
}

Result<std::string> Parts::look(const std::string& key, const PartHash& hash) const {
  auto bytes = read_file(folder_ / key, kPartBytes);
  const bool readable = bytes || bytes.error().code() == Code::invalid_argument;
  if (!readable || (bytes && hash_of_part(*bytes) == hash)) return bytes;
  return std::unexpected(note_damage(
      key,
      Error(Code::data_corrupt, "the part " + key + " is damaged", "restore it from a backup")));
}

Result<std::string> Parts::read(const TenantName& tenant, const PartHash& hash) const {
  const std::string key = folder_name(tenant) + '/' + hex(hash);
  auto bytes = look(key, hash);
  if (!bytes && bytes.error().code() == Code::not_found) {
    return std::unexpected(note_damage(
        key, Error(Code::not_found, "the part " + key + " is lost", "restore it from a backup")));
  }
  return bytes;
}

bool Parts::has(const TenantName& tenant, const PartHash& hash) const {
  std::error_code none;
  return std::filesystem::is_regular_file(folder_ / folder_name(tenant) / hex(hash), none);
}

Result<void> Parts::link(const TenantName& tenant, const PartHash& hash,
                         const std::filesystem::path& name) const {
  CARREL_TRY(const std::string bytes, read(tenant, hash));
  const auto part = folder_ / folder_name(tenant) / hex(hash);
  if (::link(part.c_str(), name.c_str()) == 0) return {};
  return write_synced(name, bytes);
}

Error Parts::note_damage(const std::string& key, Error what) const {
  constexpr std::size_t kMost = 1000;  // kept in memory
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->damaged.size() >= kMost || !impl_->damaged.insert(key).second) return what;
  }
  if (impl_->on_damage) impl_->on_damage(what);
  return what;
}

std::size_t Parts::damaged() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->damaged.size();
}

bool Parts::condemn(const TenantName& tenant, const PartHash& hash) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->pins.try_emplace(folder_name(tenant) + '/' + hex(hash), 0).first->second == 0;
}

void Parts::spare(const TenantName& tenant, const PartHash& hash) {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->pins.find(folder_name(tenant) + '/' + hex(hash));
  if (found != impl_->pins.end() && found->second == 0) impl_->pins.erase(found);
}

Result<bool> Parts::remove(const TenantName& tenant, const PartHash& hash) {
  const std::string key = folder_name(tenant) + '/' + hex(hash);
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->pins.find(key);
  if (found == impl_->pins.end() || found->second != 0) return false;
  impl_->pins.erase(found);
  if (impl_->holds > 0) return false;
  if (unlink((folder_ / key).c_str()) != 0 && errno != ENOENT) {
    return failed("cannot remove a part", errno);
  }
  impl_->damaged.erase(key);
  return true;
}

Result<bool> Parts::remove_unfinished(const TenantName& tenant, const PartHash& hash,
                                      const std::filesystem::path& file) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->pins.contains(folder_name(tenant) + '/' + hex(hash))) return false;
  if (unlink(file.c_str()) != 0 && errno != ENOENT) return failed("cannot remove a part", errno);
  return true;
}

}  // namespace carrel::store
