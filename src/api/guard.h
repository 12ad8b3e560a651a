// From where the API may be used: by the node's own names, from no foreign page.
//
// The Host check defeats DNS rebinding, the Origin check a page in the operator's browser; neither
// replaces the token.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace carrel::api {

// Immutable. Thread-safe.
class Guard {
 public:
  // `host_names`: names besides the loopback's that the node is called by, without ports.
  explicit Guard(std::vector<std::string> host_names) : host_names_(std::move(host_names)) {}

  // Errors: permission_denied for a foreign Host or Origin.
  Result<void> check_place(const net::Request& request) const;

 private:
  bool knows(std::string_view host) const;
  std::vector<std::string> host_names_;
};

// The token of "Authorization: Bearer TOKEN", if the request has exactly one such field.
std::optional<std::string_view> bearer_of(const net::Request& request);

// "localhost:80" -> "localhost", "[::1]:80" -> "[::1]".
std::string_view without_port(std::string_view host);

}  // namespace carrel::api
