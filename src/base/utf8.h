// Text that is UTF-8, as Unicode defines it: no overlong forms, no surrogates.
#pragma once

#include <string_view>

namespace carrel {

bool is_utf8(std::string_view text);

}  // namespace carrel
