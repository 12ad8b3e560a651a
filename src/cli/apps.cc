// carrel apps: the deployed apps of a tenant; removing one, and taking that back.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/percent.h"
#include "cli/command.h"
#include "cli/deployed_app.h"
#include "cli/kept.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

struct Options {
  std::string action;
  DeployedAppOptions app;
};

Result<void> act(const Options& options) {
  const bool list = options.action == "list";
  if (list ? options.app.tenant.empty() : options.app.app.empty()) {
    return fail(
        Code::invalid_argument,
        fmt::format("carrel apps {} needs {}", options.action, list ? "--tenant" : "an APP"),
        "carrel help apps");
  }
  CARREL_TRY(const auto node, NodeClient::find(options.app.node, options.app.tenant_name()));
  if (list) {
    return each_listed(
        *node, fmt::format("/v1/tenants/{}/apps", percent_encode(options.app.tenant)), "apps", {},
        [&options](const Json& app) { return show_app(app, options.app); });
  }
  const bool remove = options.action == "remove";
  const bool restore = options.action == "restore";
  CARREL_TRY(const Json app, ask_json(*node,
                                      remove    ? "DELETE"
                                      : restore ? "POST"
                                                : "GET",
                                      options.app.target(restore ? ":restore" : "")));
  return show_app(app, options.app);
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("ACTION", options->action)
      ->required()
      ->check(CLI::IsMember({"list", "show", "remove", "restore"}));
  app.add_option("APP", options->app.app);
  add_deployed_options(app, options->app);
  return [options] {
    const auto done = act(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kApps;
const Command kApps{
    .name = "apps",
    .group = Group::serve,
    .summary = "List, remove and restore deployed apps",
    .usage = "list --tenant TENANT | show|remove|restore APP [OPTIONS]",
    .details =
        "A removed app is not served from then on. Its versions are kept for seven days, in which it can be\n"
        "restored; what it has stored belongs to its tenant and stays.",
    .examples =
        "carrel apps list --tenant acme\n"
        "carrel apps remove shop --tenant acme\n"
        "carrel apps restore shop --tenant acme\n",
    .add = add,
};

}  // namespace carrel::cli
