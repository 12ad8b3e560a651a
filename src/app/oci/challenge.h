// What a registry says it wants to be shown: the WWW-Authenticate header (RFC 9110, 11.6.1).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace carrel::oci {

struct Challenge {
  std::string scheme;                                           // lower-case: "bearer", "basic"
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case

  std::string_view parameter(std::string_view name) const;  // or empty
};

// What can be read of it: a challenge that is malformed ends the list. At most 8 challenges of 16
// parameters. Pure; any thread.
std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace carrel::oci
