// Pulling a module: from a reference to bytes that are what its digests say.
#pragma once

#include <cstdint>
#include <string>

#include "app/oci/session.h"
#include "app/oci/sink.h"

namespace carrel::oci {

inline constexpr std::uint64_t kMaxModule = 64ULL << 20;

struct Pulled {
  std::string image;     // digest of what the reference names: what to pin
  std::string manifest;  // digest of the image's manifest; another one if `image` is an index
  std::string module;    // digest of the module's bytes
  std::string media_type;
  std::uint64_t size = 0;
};

// `layer`: of several modules, the digest of the one; may be empty. The module is in `into`
// afterwards. Errors: invalid_module (none, several, not WebAssembly), module_too_large, those of
// the registry.
async::Task<Result<Pulled>> pull_module(Session* session, std::string layer, Sink* into);

}  // namespace carrel::oci
