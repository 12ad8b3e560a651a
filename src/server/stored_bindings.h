// What customers have bound, as the store has it: for the start of a server.
#pragma once

#include <memory>
#include <vector>

#include "server/switchboard.h"
#include "store/database.h"

namespace carrel::server {

// In order of tenants and names. Blocks. `damaged`: how many could not be read; they are left out.
struct StoredBindings {
  std::vector<StoredBinding> all;
  std::size_t damaged = 0;
};
// Errors: io of the database.
Result<StoredBindings> read_bindings(const std::shared_ptr<const store::DatabaseView>& view);

}  // namespace carrel::server
