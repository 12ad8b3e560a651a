// Scrubbing: secrets that a guest was told do not reach its log.
//
// It guards against accidents, not against a guest that means to tell: one that changes the bytes
// (base64, one at a time) gets through. A secret of several lines is looked for line by line, as
// the log is lines; what is shorter than kShortestScrubbed is not looked for, as it would be found
// everywhere.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/secret_bytes.h"

namespace carrel::turn {

inline constexpr std::size_t kShortestScrubbed = 4;  // bytes

// The text with "[secret]" in place of every secret; secrets that overlap become one.
std::string scrub(std::string_view text, std::span<const SecretBytes> secrets);

// Where a text that goes on may be cut: the longest beginning that ends in no secret, nor in what
// may still become one.
std::size_t safe_cut(std::string_view text, std::span<const SecretBytes> secrets);

}  // namespace carrel::turn
