#include "wasm/code_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <vector>

#include "base/fd.h"
#include "base/node_key.h"

namespace carrel::wasm {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMacSize = 32;
constexpr std::string_view kSuffix = ".cwasm";
constexpr std::string_view kDraft = ".draft";

bool is_digest(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// A file's bytes as long as this lives.
class Mapped {
 public:
  explicit Mapped(const Fd& file) {
    struct stat status{};
    if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0) return;
    size_ = static_cast<std::size_t>(status.st_size);
    at_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.get(), 0);
    if (at_ == MAP_FAILED) size_ = 0;
  }
  ~Mapped() {
    if (size_ > 0) munmap(at_, size_);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(at_), size_}; }

 private:
  void* at_ = nullptr;
  std::size_t size_ = 0;
};

std::array<std::byte, kMacSize> hmac(std::span<const std::byte> key,
                                     std::span<const std::byte> data) {
  std::array<std::byte, kMacSize> out{};
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(data.data()), data.size(),
       reinterpret_cast<unsigned char*>(out.data()), nullptr);
  return out;
}

bool write_all(const Fd& file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

struct Item {
  fs::file_time_type used;
  std::uint64_t size;
  fs::path path;
};

// The folder's files of that kind; what another process removes meanwhile is left out.
std::vector<Item> items_in(const fs::path& folder, std::string_view extension) {
  std::vector<Item> items;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != extension) continue;
    std::error_code gone;
    const auto used = at->last_write_time(gone);
    const auto size = gone ? 0 : at->file_size(gone);
    if (!gone) items.push_back({used, size, at->path()});
  }
  return items;
}

// What a process that was killed while it wrote has left.
void remove_old_drafts(const fs::path& folder) {
  for (const Item& draft : items_in(folder, kDraft)) {
    std::error_code ignored;
    const auto age = fs::file_time_type::clock::now() - draft.used;
    if (age > std::chrono::hours(1)) fs::remove(draft.path, ignored);
  }
}

}  // namespace

Result<std::shared_ptr<CodeCache>> CodeCache::open(std::shared_ptr<Engine> engine,
                                                   CodeCacheOptions options) {
  CARREL_TRY_VOID(open_private_folder(options.folder));
  if (options.key_file.empty()) options.key_file = options.folder / "node.key";
  CARREL_TRY(const Key key, node_key_from(options.key_file));
  remove_old_drafts(options.folder);
  return std::shared_ptr<CodeCache>(new CodeCache(std::move(engine), std::move(options), key));
}

fs::path CodeCache::entry(std::string_view digest) const {
  return options_.folder / fmt::format("{}-{:016x}{}", digest, engine_->compatibility(), kSuffix);
}

// The name is part of what the key vouches for: an entry under another module's name is foreign.
CodeCache::Key CodeCache::mac(std::string_view name, std::span<const std::byte> code) const {
  return hmac(hmac(key_, std::as_bytes(std::span(name))), code);
}

std::shared_ptr<const Module> CodeCache::find(std::string_view digest) const {
  auto module = look_up(digest);
  (module ? figures_.hits : figures_.misses).add();
  return module;
}

std::shared_ptr<const Module> CodeCache::look_up(std::string_view digest) const {
  if (!is_digest(digest)) return nullptr;
  const fs::path path = entry(digest);
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return nullptr;
  {
    const Mapped mapped(file);
    const auto bytes = mapped.bytes();
    if (bytes.size() <= kMacSize) return nullptr;
    const Key expected = mac(path.filename().native(), bytes.first(bytes.size() - kMacSize));
    if (CRYPTO_memcmp(expected.data(), bytes.last(kMacSize).data(), kMacSize) != 0) return nullptr;
  }
  futimens(file.get(), nullptr);  // used now: pruned later
  // The very file that was verified, whatever its name leads to by now.
  auto module = Module::map_code(engine_, fmt::format("/proc/self/fd/{}", file.get()));
  return module ? std::move(*module) : nullptr;
}

Result<std::shared_ptr<const Module>> CodeCache::compile(std::string_view digest,
                                                         std::span<const std::byte> bytes) const {
  if (!is_digest(digest))
    return fail(Code::invalid_argument, "not a SHA-256 digest in hexadecimal");
  const Instant began = std::chrono::steady_clock::now();
  const auto compiled = compile_in_child(*engine_, bytes, options_.compile);
  if (!compiled) {
    figures_.failed.add();
    return std::unexpected(compiled.error());
  }
  figures_.compiled.add(std::chrono::steady_clock::now() - began);
  const std::vector<std::byte>& code = *compiled;
  if (keep(digest, code)) {
    prune(code.size());
    if (auto module = look_up(digest)) return module;
  }
  return Module::load_code(engine_, code);
}

bool CodeCache::keep(std::string_view digest, std::span<const std::byte> code) const {
  const fs::path path = entry(digest);
  std::string draft = (options_.folder / fmt::format("{}-XXXXXX{}", digest, kDraft)).native();
  bool kept = false;
  {
    const Fd file(mkostemps(draft.data(), static_cast<int>(kDraft.size()), O_CLOEXEC));
    if (!file) return false;
    kept = write_all(file, code) && write_all(file, mac(path.filename().native(), code));
  }
  kept = kept && rename(draft.c_str(), path.c_str()) == 0;
  if (!kept) unlink(draft.c_str());
  return kept;
}

// The folder is looked through when it may be full, and when nobody has counted yet.
void CodeCache::prune(std::uint64_t added) const {
  if (options_.max_bytes == 0) return;
  std::lock_guard lock(prune_mutex_);
  if (bytes_) *bytes_ += added;
  if (bytes_ && *bytes_ <= options_.max_bytes) return;
  std::vector<Item> items = items_in(options_.folder, kSuffix);
  std::uint64_t total = 0;
  for (const Item& item : items) total += item.size;
  std::ranges::sort(items, {}, &Item::used);
  for (const Item& item : items) {
    if (total <= options_.max_bytes) break;
    std::error_code ignored;
    fs::remove(item.path, ignored);
    total -= item.size;
  }
  bytes_ = total;
}

}  // namespace carrel::wasm
