// The options that `serve` and `dev` share, and how they become a server's options.
#pragma once

#include <string>
#include <vector>

#include "cli/acme_options.h"
#include "cli/egress_options.h"
#include "cli/registry_options.h"
#include "server/options.h"

namespace CLI {
class App;
}

namespace carrel::cli {

// Texts as they were typed.
struct ServeArguments {
  std::vector<std::string> apps;
  std::string modules;  // wagi's modules.toml
  std::string config;   // carreld.toml
  std::string listen = "127.0.0.1:3000";
  int port = -1;            // -1: the one in `listen`
  std::string admin, data;  // empty: the command's default
  std::string data_socket;
  std::vector<std::string> admin_hosts, hosts, environment, reserved_domains;
  std::string dns;
  RegistryArguments registry;
  std::string environment_file, issuers;
  std::string otlp, otlp_headers;  // where traces go
  double trace_ratio = 1;
  std::string certificate, key, certificate_folder;
  AcmeArguments acme;
  EgressArguments egress;
  std::string access_log = "off", log = "stderr", log_level = "info";
  unsigned shards = 0;
  std::string state;
  std::string max_body = "32MiB", body_pause = "30s", idle_time = "75s", drain = "10s";
  unsigned connections = 10'000;
};

void add_listen_options(CLI::App& app, ServeArguments& arguments);     // where, how many shards
void add_module_options(CLI::App& app, ServeArguments& arguments);     // environment, state
void add_operation_options(CLI::App& app, ServeArguments& arguments);  // TLS, logs, limits, admin

// Everything that `carrel serve` takes.
void add_serve_options(CLI::App& app, ServeArguments& arguments);

// Errors: invalid_argument naming the option; those of the environment file. Without the state
// folder.
Result<server::ServerOptions> check_options(const ServeArguments& arguments, server::Style style);

// The same with the state folder, made if there is none.
Result<server::ServerOptions> server_options(const ServeArguments& arguments, server::Style style);

// "NAME=VALUE". Errors: invalid_argument.
Result<std::pair<std::string, std::string>> parse_pair(std::string_view option,
                                                       std::string_view text);

// Lines "NAME=VALUE", empty lines and lines that begin with '#'; a value may stand in quotes.
// Errors: invalid_argument with the line.
Result<std::vector<std::pair<std::string, std::string>>> parse_environment_file(
    std::string_view text);

}  // namespace carrel::cli
