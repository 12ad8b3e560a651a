// The sealer: secrets at rest, under a key that is not stored with them.
//
// XChaCha20-Poly1305 (libsodium) under a key derived from the node's; tenant and name are
// authenticated with it, so a sealed value cannot be moved to another name.
//
//   version (1 byte) | mark of the key (8) | nonce (24) | sealed bytes | tag (16)
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/node_key.h"
#include "base/result.h"
#include "base/secret_bytes.h"

namespace carrel::store {

inline constexpr std::size_t kMaxSecret = 64 << 10;  // bytes

// Immutable. Thread-safe. Keeps its key in memory that is locked and left out of core dumps.
class Sealer {
 public:
  static constexpr std::size_t kOverhead = 1 + 8 + 24 + 16;  // bytes that sealing adds

  explicit Sealer(const NodeKey& key);
  ~Sealer();
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  std::string seal(const TenantName& tenant, std::string_view name, std::string_view secret) const;
  // Errors: permission_denied when it was sealed under another key; data_corrupt.
  Result<SecretBytes> open(const TenantName& tenant, std::string_view name,
                           std::string_view sealed) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::store
