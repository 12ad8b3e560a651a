// Module sources: where a deployment's modules come from besides its own folder, such as a
// registry.
//
// A manifest names such a module by a reference ("oci://host/name:tag"). When a version is made the
// reference is resolved once: the bytes are kept with the version and the digest is pinned, so what
// was checked is what runs, whatever the source says later.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "async/shard.h"
#include "async/task.h"
#include "base/id.h"
#include "base/result.h"

namespace carrel::app {

// A tenant's secrets that are for its module sources (registry_source.h). No module can be granted
// them: a secret's name that a manifest may have has no dot.
inline constexpr std::string_view kRegistrySecret = "registry.json";
inline constexpr std::string_view kSignersSecret = "trusted-signers.pem";

struct FetchedModule {
  std::string bytes;
  std::string digest;  // SHA-256 of `bytes`, hexadecimal; verified, not believed
  std::string pinned;  // a reference that can only ever mean these bytes
};

// Owner: the composition root. Thread: any shard's; a task stays on the shard that it was given.
class ModuleSource {
 public:
  virtual ~ModuleSource() = default;

  // Whether references of this form are this source's.
  virtual bool takes(std::string_view reference) const = 0;

  // The module, fetched with what `tenant` may present to the source. `most`: bytes of it. Errors:
  // not_found; module_too_large; digest_mismatch for bytes that are not those of the digest; those
  // of a call to the outside.
  virtual async::Task<Result<FetchedModule>> fetch(async::Shard& shard, TenantName tenant,
                                                   std::string reference, std::uint64_t most) = 0;
};

}  // namespace carrel::app
