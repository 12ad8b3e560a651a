// carrel versions: the versions of a deployed app.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/units.h"
#include "cli/command.h"
#include "cli/deployed_app.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

std::string state_of(const Json& version) {
  const auto percent = version.value("percent", 0U);
  if (percent == 100) return "live";
  if (percent > 0) return fmt::format("live {}%", percent);
  return version.value("preview", false) ? "preview" : "";
}

Result<void> list(const DeployedAppOptions& options) {
  CARREL_TRY(const auto node, NodeClient::find(options.node, options.tenant_name()));
  CARREL_TRY(const Json json, ask_json(*node, "GET", options.target("/versions")));
  for (const Json& version : json.value("versions", Json::array())) {
    if (options.json) {
      CARREL_TRY_VOID(write_json(version));
      continue;
    }
    print(fmt::format("{:>5}  {}  {:8}  {:>10}  {}  {}\n", version.value("version", 0ULL),
                      text_in(version, "created"), state_of(version),
                      app::size_text(version.value("bytes", 0ULL)),
                      text_in(version, "digest").substr(0, 12), text_in(version, "message")));
  }
  return {};
}

Run add(CLI::App& app) {
  auto options = std::make_shared<DeployedAppOptions>();
  app.add_option("APP", options->app)->required();
  add_deployed_options(app, *options);
  return [options] {
    const auto done = list(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kVersions;
const Command kVersions{
    .name = "versions",
    .group = Group::serve,
    .summary = "List the versions of a deployed app",
    .usage = "APP [OPTIONS]",
    .details =
        "Number, time, whether it is live, size, digest and message; with --json a line for each.",
    .examples = "carrel versions shop --tenant acme\n",
    .add = add,
};

}  // namespace carrel::cli
