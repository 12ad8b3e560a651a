// Modules that an app names in registries: fetched, checked against the policy, kept by digest.
//
// The policy "signed by one of these keys" is decided here: whoever deploys fetches through a
// `Sources` that has the keys, and gets no file of a module that none of them has signed.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/oci/module_cache.h"
#include "app/oci/registries.h"

namespace carrel::oci {

struct SourcesOptions {
  RegistriesOptions registries;
  std::filesystem::path cache;            // an operator's or a tenant's own
  std::vector<PublicKey> signed_by = {};  // empty: signatures are not asked for
};

struct SourceFile {
  std::filesystem::path file;
  Reference pinned;    // with the digest that the tag had, if there was none: what to keep
  std::string module;  // digest of its bytes
};

// Owner and thread: whoever loads or deploys; blocks. Stops: between calls.
class Sources {
 public:
  explicit Sources(SourcesOptions options);
  ~Sources();

  // What is pinned and kept needs no registry, nor the keys that were asked for before. Errors:
  // those of the registry, not_signed, io, store_full.
  Result<SourceFile> fetch(const Reference& reference);

 private:
  Result<Registries*> registries();
  Result<void> check_signed(const Reference& pinned, std::vector<std::string>& key_ids);

  SourcesOptions options_;
  ModuleCache cache_;
  std::unique_ptr<Registries> registries_;  // made when one is needed
};

}  // namespace carrel::oci
