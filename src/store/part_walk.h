// Walks the files of the parts, a few at a time. What is made or removed meanwhile may be met or
// not.
#pragma once

#include <filesystem>
#include <optional>

#include "base/clock.h"
#include "store/part_names.h"

namespace carrel::store {

struct PartFile {
  TenantName tenant;
  PartName name;
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  WallTime written;
};

// Thread: one at a time. What is no part is passed over.
class PartWalk {
 public:
  explicit PartWalk(const std::filesystem::path& folder);
  // Blocks. Nothing: that was the last. Errors: io.
  Result<std::optional<PartFile>> next();

 private:
  std::error_code error_;
  std::filesystem::directory_iterator tenants_, files_;
  std::optional<TenantName> tenant_;  // of `files_`
};

}  // namespace carrel::store
