// Text that is UTF-8, as Unicode defines it: no overlong forms, no surrogates.
#pragma once

#include <cstddef>
#include <string_view>

namespace carrel {

bool is_utf8(std::string_view text);

// Bytes of the sequence at the start of `text`, which is not empty; 0: there is none.
std::size_t utf8_sequence(std::string_view text);

}  // namespace carrel
