#include "app/oci/sources.h"

#include <algorithm>

namespace carrel::oci {

Sources::Sources(SourcesOptions options) : options_(std::move(options)), cache_(options_.cache) {}

Sources::~Sources() = default;

Result<Registries*> Sources::registries() {
  if (!registries_) {
    CARREL_TRY(registries_, Registries::make(options_.registries));
  }
  return registries_.get();
}

// `key_ids`: those that are known to have signed it; one that is found is added.
Result<void> Sources::check_signed(const Reference& pinned, std::vector<std::string>& key_ids) {
  if (options_.signed_by.empty()) return {};
  const bool known = std::ranges::any_of(options_.signed_by, [&](const PublicKey& key) {
    return std::ranges::find(key_ids, key.id()) != key_ids.end();
  });
  if (known) return {};
  CARREL_TRY(Registries * registries, this->registries());
  CARREL_TRY(const Verified verified, registries->verify(pinned, options_.signed_by));
  key_ids.insert(key_ids.end(), verified.key_ids.begin(), verified.key_ids.end());
  return {};
}

Result<SourceFile> Sources::fetch(const Reference& reference) {
  Reference pinned = reference;
  if (pinned.digest.empty()) {
    CARREL_TRY(Registries * registries, this->registries());
    CARREL_TRY(pinned.digest, registries->resolve(reference));
  }
  auto cached = cache_.find(pinned.digest);
  if (cached) {
    const std::size_t before = cached->key_ids.size();
    CARREL_TRY_VOID(check_signed(pinned, cached->key_ids));
    if (cached->key_ids.size() > before) CARREL_TRY_VOID(cache_.note(pinned.digest, *cached));
  } else {
    std::vector<std::string> key_ids;
    CARREL_TRY_VOID(check_signed(pinned, key_ids));
    CARREL_TRY(Registries * registries, this->registries());
    CARREL_TRY(NewFile file, cache_.make());
    CARREL_TRY(const Pulled pulled, registries->pull(pinned, "", file));
    CARREL_TRY(cached, cache_.keep(std::move(file), pulled, std::move(key_ids)));
  }
  return SourceFile{.file = cached->file, .pinned = std::move(pinned), .module = cached->module};
}

}  // namespace carrel::oci
