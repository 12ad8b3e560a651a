// The quick look at JSON from strangers, before the thorough one that can say what is wrong.
#pragma once

#include <cstddef>
#include <string_view>

namespace carrel::document {

// True: it is one JSON value in UTF-8, nested `depth` deep at most, and no object has a name twice.
// False: look thoroughly, it may still be. Precondition: no NUL in it, no byte order mark before
// it.
bool is_surely_json(std::string_view text, std::size_t depth);

}  // namespace carrel::document
