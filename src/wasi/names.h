// Names that a path cannot hold, percent-encoded: "/", "%", NUL, and the whole of "." and "..".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace carrel::wasi {

// "a/b" -> "a%2Fb", ".." -> "%2E.". Every name but the empty one gets one that a path can hold, and
// its own.
std::string encode_name(std::string_view name);

// What encode_name was given; any other "%XX" is decoded as well. Nothing: a "%" without two hex
// digits.
std::optional<std::string> decode_name(std::string_view encoded);

}  // namespace carrel::wasi
