// Everything that the store keeps of deployed apps, read at once: for the start of a server.
#pragma once

#include <memory>
#include <vector>

#include "app/deployment/records.h"
#include "store/database.h"

namespace carrel::deployment {

struct StoredApp {
  Scope scope;
  AppRecord record;
  std::vector<Version> versions;  // in order of numbers
};

// In order of tenants and names. Blocks. `damaged`: how many records could not be read; what they
// held is left out. Errors: data_corrupt, io of the database.
struct StoredApps {
  std::vector<StoredApp> apps;
  std::size_t damaged = 0;
};
Result<StoredApps> read_stored(const std::shared_ptr<const store::DatabaseView>& view);

}  // namespace carrel::deployment
