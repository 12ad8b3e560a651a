// JSON from strangers: checked before anybody builds something of it.
//
// A text that passes means the same to every reader: it is one value in UTF-8, no object has a name
// twice, nothing is nested deeper than a reader's stack bears. It is kept as it was written, so
// numbers stay what they were.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace carrel::document {

struct JsonLimits {
  std::size_t bytes = 1 << 20;
  std::size_t depth = 64;  // of arrays and objects in one another
};

// Errors: bad_request that says what is wrong and at which byte.
Result<void> check_json(std::string_view text, const JsonLimits& limits);

// Nothing but spaces.
bool is_blank(std::string_view text);

}  // namespace carrel::document
