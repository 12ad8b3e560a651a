// Parts: the pieces that blobs are made of, as files named by what they hold.
//
//   FOLDER/TT/HH...   TT: the tenant's name, encoded; HH: SHA-256 of the bytes, hexadecimal
//
// A part is written and synced before the commit that refers to it; parts of the same content are
// one file within a tenant, and never shared between tenants. The committer counts the uses of each
// (part_ledger.h); the sweeper removes those that nothing has used for a minute and nobody has
// pinned.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"

namespace carrel::store {

inline constexpr std::size_t kPartBytes = 1 << 20;  // all but a blob's last have this size
using PartHash = std::array<std::uint8_t, 32>;

// A blob's record (Kind::blob): its size, then a hash for each part.
struct BlobManifest {
  std::uint64_t size = 0;
  std::vector<PartHash> parts;
};
std::string encode(const BlobManifest& manifest);
std::optional<BlobManifest> decode_manifest(std::string_view bytes);  // nothing: damaged

PartHash hash_of_part(std::string_view bytes);

// Owner: the Store. Thread-safe; `write`, `read` and `remove` block: call them on the I/O pool.
class Parts {
 public:
  explicit Parts(std::filesystem::path folder);
  ~Parts();

  // Keeps a part from being removed.
  class [[nodiscard]] Pin {
   public:
    Pin() = default;
    Pin(Pin&& other) noexcept;
    Pin& operator=(Pin&& other) noexcept;
    ~Pin();

   private:
    friend class Parts;
    Parts* parts_ = nullptr;
    std::string key_;
  };
  Pin pin(const TenantName& tenant, const PartHash& hash);

  // Precondition: pinned. Returns when it is on the disk. Errors: store_full, io.
  Result<void> write(const TenantName& tenant, const PartHash& hash, std::string_view bytes);
  // Errors: data_corrupt when the bytes are not those of the hash, not_found, io.
  Result<std::string> read(const TenantName& tenant, const PartHash& hash) const;
  // False: somebody has pinned it. Errors: io.
  Result<bool> remove(const TenantName& tenant, const PartHash& hash);

  // Every part's file, for backup, check and the removal of what no commit ever referred to.
  struct Found {
    TenantName tenant;
    PartHash hash;
    std::uint64_t bytes = 0;
    std::filesystem::file_time_type written;
  };
  Result<std::vector<Found>> all() const;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  struct Impl;
  std::filesystem::path folder_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::store
