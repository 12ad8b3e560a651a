// Sizes, durations and names as people write them in manifests; strict, so that a typing error is
// one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace carrel::app {

// A whole number and B, KiB, MiB or GiB, without a space: "64MiB".
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string size_text(std::uint64_t bytes);

// A whole number and us, ms, s, m or h, without a space: "50ms".
std::optional<Nanos> parse_duration(std::string_view text);
std::string duration_text(Nanos span);

// Names of apps, modules and the like: 1 to 64 of a-z, 0-9, '-', '_'; the first a letter or a
// digit.
bool is_name(std::string_view text);
inline constexpr std::string_view kNameRule =
    "1 to 64 of a-z, 0-9, - and _, first a letter or digit";

// Names of environment variables: 1 to 128 of A-Z, a-z, 0-9, '_'; the first not a digit.
bool is_variable(std::string_view text);

}  // namespace carrel::app
