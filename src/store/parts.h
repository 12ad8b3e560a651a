// Parts: the pieces that blobs are made of, as files named by what they hold.
//
//   FOLDER/TT/HH...   TT: the tenant's name, encoded; HH: SHA-256 of the bytes, hexadecimal
//
// A part is written and synced before the commit that refers to it; parts of the same content are
// one file within a tenant, and never shared between tenants. The committer counts the uses of each
// (part_ledger.h); the sweeper (part_sweeper.h) removes those that nothing uses.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
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
  // Told once of each part that turns out to be damaged; by any thread, must not wait.
  using OnDamage = std::function<void(const Error& what)>;
  explicit Parts(std::filesystem::path folder, OnDamage on_damage = nullptr);
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

  // Keeps all of them from being removed, for as long as a copy is made.
  class [[nodiscard]] Hold {
   public:
    explicit Hold(Parts& parts);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Parts& parts_;
  };

  // Precondition: pinned. Returns when it is on the disk. What is there already is compared, and
  // written again if it is damaged. Errors: store_full, io.
  Result<void> write(const TenantName& tenant, const PartHash& hash, std::string_view bytes);
  // Errors: data_corrupt when the bytes are not those of the hash; not_found: lost; io.
  Result<std::string> read(const TenantName& tenant, const PartHash& hash) const;

  // Whether there is a file of it; not whether that is whole.
  bool has(const TenantName& tenant, const PartHash& hash) const;
  // Gives the part one more name, which stays when the part goes, and is not to be written to. What
  // cannot be linked is copied. Errors: as for `read`; io, store_full.
  Result<void> link(const TenantName& tenant, const PartHash& hash,
                    const std::filesystem::path& name) const;

  // The part is to go: from now on, a pin saves it. False: somebody has pinned it already.
  bool condemn(const TenantName& tenant, const PartHash& hash);
  void spare(const TenantName& tenant, const PartHash& hash);
  // Precondition: condemned; it no longer is. False: it was pinned meanwhile, or all are held.
  // Errors: io.
  Result<bool> remove(const TenantName& tenant, const PartHash& hash);
  // A file that was begun and never became a part. False: the part is pinned. Errors: io.
  Result<bool> remove_unfinished(const TenantName& tenant, const PartHash& hash,
                                 const std::filesystem::path& file);

  // Parts met that are damaged or lost, and have not been written again since.
  std::size_t damaged() const;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  // As `read`, of what may well not be there.
  Result<std::string> look(const std::string& key, const PartHash& hash) const;
  Error note_damage(const std::string& key, Error what) const;
  Result<void> put(const std::filesystem::path& file, std::string_view bytes);
  struct Impl;
  std::filesystem::path folder_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::store
