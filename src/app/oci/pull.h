// Pulling a module: from a reference to bytes that are what its digests say.
#pragma once

#include <cstdint>
#include <functional>
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

struct PullOptions {
  std::string layer = {};  // of several modules, the digest of the one; empty: there must be one
  std::uint64_t most = kMaxModule;  // bytes
  // Where an archive is unpacked, which may take a second; returns on the session's shard. The work
  // owns what it touches. Empty: here.
  std::function<async::Task<void>(std::move_only_function<void()> work)> away = {};
};

// The module is in `into` afterwards. Errors: invalid_module (none, several, not WebAssembly),
// module_too_large, those of the registry.
async::Task<Result<Pulled>> pull_module(Session* session, PullOptions options, Sink* into);

}  // namespace carrel::oci
