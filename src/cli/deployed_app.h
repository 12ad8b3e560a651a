// An app that was deployed, as the commands `deploy`, `versions`, `activate`, `rollback` and `apps`
// name it, and what they show of it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/node_client.h"

namespace carrel::cli {

// Texts as they were typed.
struct DeployedAppOptions {
  std::string app;
  std::string tenant;  // empty: the root tenant of the app's name
  NodeOptions node;
  bool json = false;

  const std::string& tenant_name() const { return tenant.empty() ? app : tenant; }
  // "/v1/tenants/acme%2Fa/apps/shop" and what follows.
  std::string target(std::string_view more = {}) const;
};
void add_deployed_options(CLI::App& app, DeployedAppOptions& options);

// Errors: unavailable when the answer is no JSON.
Result<nlohmann::json> json_of(const NodeAnswer& answer);
// Asks, and reads the answer. Errors: those of NodeClient::call.
Result<nlohmann::json> ask_json(NodeClient& node, std::string method, std::string_view target,
                                std::string body = {});

// Says which versions an app serves, from the API's answer; as JSON if asked.
Result<void> show_app(const nlohmann::json& app, const DeployedAppOptions& options);

}  // namespace carrel::cli
