// HTML of strangers: what is left of it after an allow-list of elements, attributes and links.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace carrel::document {

inline constexpr std::size_t kMaxHtml = 256 << 10;  // bytes
// The time taken, and what comes out, grow with the square of it: formatting that is open is
// repeated in every block.
inline constexpr std::size_t kMaxTags = 300;

// A fragment that is safe to put into a page. Errors: bad_request for what is too large or no
// UTF-8.
Result<std::string> clean_html(std::string_view html);

}  // namespace carrel::document
