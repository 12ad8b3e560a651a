// Modules from registries, kept by digest: FOLDER/images/HEX says which module an image has, and
// FOLDER/modules/HEX.wasm is one. Anything of it may be removed at any time; it is fetched again.
//
// Whoever may read the folder may run what is in it: a folder belongs to one operator or tenant, so
// that nobody is given what only another's login can fetch.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/oci/new_file.h"
#include "app/oci/pull.h"

namespace carrel::oci {

struct CachedModule {
  std::filesystem::path file;
  std::string module;                // its digest
  std::vector<std::string> key_ids;  // of keys that are known to have signed the image
};

// Thread: one at a time; processes may share a folder.
class ModuleCache {
 public:
  explicit ModuleCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // What is damaged is as if it was not there.
  std::optional<CachedModule> find(std::string_view image) const;

  // A place for what is fetched next. Errors: io, store_full.
  Result<NewFile> make() const;
  // Errors: io, store_full.
  Result<CachedModule> keep(NewFile file, const Pulled& pulled, std::vector<std::string> key_ids);
  // Notes that these keys have signed it as well. Errors: io, store_full.
  Result<void> note(std::string_view image, const CachedModule& cached);

 private:
  std::filesystem::path image_file(std::string_view image) const;
  std::filesystem::path module_file(std::string_view module) const;
  std::filesystem::path folder_;
};

}  // namespace carrel::oci
