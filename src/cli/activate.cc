// carrel activate, carrel rollback: which versions of a deployed app are live.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/deployed_app.h"
#include "cli/kept.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

struct Options {
  std::uint64_t version = 0;
  unsigned percent = 100;
  bool preview = false;
  DeployedAppOptions app;
};

Result<void> change(const Options& options, std::string method, std::string_view more,
                    std::string body = {}) {
  CARREL_TRY(const auto node, NodeClient::find(options.app.node, options.app.tenant_name()));
  CARREL_TRY(const Json app,
             ask_json(*node, std::move(method), options.app.target(more), std::move(body)));
  return show_app(app, options.app);
}

Result<void> activate(const Options& options) {
  if (options.preview)
    return change(options, "PUT", fmt::format("/versions/{}/preview", options.version));
  return change(options, "POST", fmt::format("/versions/{}:activate", options.version),
                Json{{"percent", options.percent}}.dump());
}

Run add_activate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("APP", options->app.app)->required();
  app.add_option("VERSION", options->version)->required();
  app.add_option("--percent", options->percent, "Only so many of the requests (default: 100)")
      ->type_name("N")
      ->check(CLI::Range(1, 100).description(""));
  app.add_flag("--preview", options->preview,
               "Serve it under a name of its own; what is live stays live");
  add_deployed_options(app, options->app);
  return [options] {
    const auto done = activate(*options);
    return done ? kOk : report_call(done.error());
  };
}

Run add_rollback(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("APP", options->app.app)->required();
  add_deployed_options(app, options->app);
  return [options] {
    const auto done = change(*options, "POST", ":rollback");
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kActivate, kRollback;
const Command kActivate{
    .name = "activate",
    .group = Group::serve,
    .summary = "Make a version of a deployed app live",
    .usage = "APP VERSION [--percent N] [OPTIONS]",
    .details =
        "The version is made ready first; if that fails, what is live stays live. With --percent it gets so\n"
        "many of the requests and what is live the others. Requests with the same Carrel-Version-Key header\n"
        "go to the same version while the shares stay.",
    .examples =
        "carrel activate shop 7\n"
        "carrel activate shop 8 --percent 10\n",
    .add = add_activate,
};
const Command kRollback{
    .name = "rollback",
    .group = Group::serve,
    .summary = "Go back to the version that was live before",
    .usage = "APP [OPTIONS]",
    .details =
        "Once more goes back one further. While two versions share the requests, the older one gets all.",
    .examples = "carrel rollback shop\n",
    .add = add_rollback,
};

}  // namespace carrel::cli
