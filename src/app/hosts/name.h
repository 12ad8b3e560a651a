// Host names as tenants may claim them. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace carrel::hosts {

// "www.Example.com." is "www.example.com": lower case, no dot at the end, two labels at least.
// Errors: invalid_argument that says what is wrong with it: an address, a wildcard, a port, not
// ASCII (its form is xn--...), too long, under `localhost`.
Result<std::string> normal_name(std::string_view text);

// Whether `name` is `domain` or lies below it. Both normal.
bool is_within(std::string_view name, std::string_view domain);

}  // namespace carrel::hosts
