// carrel hook bind, unbind, bindings: what a customer has at hook points of tenants above.
#pragma once

#include <string>
#include <vector>

#include "cli/node_client.h"

namespace CLI {
class App;
}

namespace carrel::cli {

// Texts as they were typed.
struct BindOptions {
  std::string tenant, name, point, module;
  std::string app, of;  // whose point it is; empty `of`: the tenant above
  std::string endpoint, secret, format;
  std::vector<std::string> config;
  int order = 0;
  unsigned percent = 100;
  bool disabled = false;
  bool json = false;
};
void add_bind_options(CLI::App& app, BindOptions& options);

// Errors: invalid_argument; those of NodeClient::call.
Result<void> hook_bind(NodeClient& node, const BindOptions& options);
Result<void> hook_unbind(NodeClient& node, const BindOptions& options);
Result<void> hook_bindings(NodeClient& node, const BindOptions& options);

}  // namespace carrel::cli
