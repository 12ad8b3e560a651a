#include "turn/grants.h"

#include <algorithm>

namespace carrel::turn {

bool Grants::gated() const {
  const auto writes = [](const std::vector<StoreGrant>& grants) {
    return std::ranges::any_of(grants, &StoreGrant::write);
  };
  return writes(kv) || writes(counters) || writes(blobs);
}

bool Grants::any() const {
  return !kv.empty() || !counters.empty() || !blobs.empty() || !http.empty() || !secrets.empty();
}

}  // namespace carrel::turn
