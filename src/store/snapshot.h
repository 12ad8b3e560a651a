// A snapshot: the store as all commits up to a version have made it.
#pragma once

#include <memory>

#include "store/database.h"
#include "store/version.h"

namespace carrel::store {

// Immutable; shared by the turns that began while it was the newest. Thread-safe.
struct Snapshot {
  Version version;
  Version opened;  // what the database held when it was opened
  std::shared_ptr<const DatabaseView> view;
};

}  // namespace carrel::store
