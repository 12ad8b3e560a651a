// Transfer: a store's names and values as JSON lines, to read, to edit, or to take elsewhere.
//
//   {"carrel":"store export","version":1}
//   {"tenant":"shop","kind":"kv","store":"carts","name":"42","value":"..."}
//
// docs/reference/storage.md has the fields. Secrets are exported as they are sealed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>

#include "base/id.h"
#include "base/result.h"

namespace carrel::store {

struct TransferCounts {
  std::uint64_t names = 0, bytes = 0;
};

// Blocks. `folder`: a stopped store, or a backup. Of one tenant, or of all. What has expired is
// left out. Errors: those of Database::open, not_found, data_corrupt; io when `out` takes no more.
Result<TransferCounts> export_store(const std::filesystem::path& folder,
                                    const std::optional<TenantName>& tenant, std::ostream& out);

// Blocks. Into a stopped store, made if there is none; names that exist are replaced. In batches:
// after an error those before it are in. Errors: bad_request naming the line; those of the store.
Result<TransferCounts> import_store(const std::filesystem::path& folder, std::istream& in);

}  // namespace carrel::store
