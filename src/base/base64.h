// Base64 of RFC 4648: with padding, and for URLs without.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace carrel {

std::string to_base64(std::string_view bytes);
// Nothing: it is not what `to_base64` gives.
std::optional<std::string> from_base64(std::string_view text);

std::string to_base64url(std::string_view bytes);
// Nothing: it is not what `to_base64url` gives.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace carrel
