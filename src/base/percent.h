// Percent-encoding of a URL's parts.
#pragma once

#include <string>
#include <string_view>

namespace carrel {

// All bytes but letters, digits and "-._~" encoded: for a query's value or a path's segment.
std::string percent_encode(std::string_view text);

}  // namespace carrel
