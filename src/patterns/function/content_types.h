// Content types of static files, by the ends of their names.
#pragma once

#include <string_view>

namespace carrel::function {

// "text/html; charset=utf-8" for "a/index.HTML"; "application/octet-stream" for what is not known.
std::string_view content_type(std::string_view path);

}  // namespace carrel::function
