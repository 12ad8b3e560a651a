// Who may use the API: requests for this node by its own name, from no foreign page, with its
// token.
//
// The Host check defeats DNS rebinding, the Origin check a page in the operator's browser; neither
// replaces the token.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/token.h"
#include "net/http.h"

namespace carrel::api {

// Immutable. Thread-safe.
class Guard {
 public:
  // `host_names`: names besides the loopback's that the node is called by, without ports.
  Guard(LocalToken token, std::vector<std::string> host_names)
      : token_(std::move(token)), host_names_(std::move(host_names)) {}

  // Errors: permission_denied for a foreign Host or Origin.
  Result<void> check_place(const net::Request& request) const;
  // Errors: unauthenticated.
  Result<void> check_token(const net::Request& request) const;

 private:
  bool knows(std::string_view host) const;
  LocalToken token_;
  std::vector<std::string> host_names_;
};

// "localhost:80" -> "localhost", "[::1]:80" -> "[::1]".
std::string_view without_port(std::string_view host);

}  // namespace carrel::api
