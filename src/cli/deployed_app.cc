#include "cli/deployed_app.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/percent.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

// Making versions ready may compile.
constexpr std::chrono::minutes kLongest{10};

}  // namespace

std::string DeployedAppOptions::target(std::string_view more) const {
  return fmt::format("/v1/tenants/{}/apps/{}{}", percent_encode(tenant_name()), percent_encode(app),
                     more);
}

void add_deployed_options(CLI::App& app, DeployedAppOptions& options) {
  app.add_option("--tenant", options.tenant,
                 "The app's tenant (default: the one of the app's name)")
      ->type_name("TENANT");
  app.add_flag("--json", options.json, "As JSON");
  add_node_options(app, options.node);
}

Result<Json> json_of(const NodeAnswer& answer) {
  Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object()) return fail(Code::unavailable, "the server's answer cannot be understood");
  return json;
}

Result<Json> ask_json(NodeClient& node, std::string method, std::string_view target,
                      std::string body) {
  CARREL_TRY(const NodeAnswer answer,
             node.call(std::move(method), target, std::move(body), kLongest));
  return json_of(answer);
}

Result<void> show_app(const Json& app, const DeployedAppOptions& options) {
  if (options.json) return write_json(app);
  std::string live;
  for (const Json& share : app.value("live", Json::array())) {
    const auto percent = share.value("percent", 0U);
    live += fmt::format("{}version {}{}", live.empty() ? "" : ", ", share.value("version", 0ULL),
                        percent == 100 ? "" : fmt::format(" ({} %)", percent));
  }
  print(fmt::format("{} of {}: {}\n", text_in(app, "name"), text_in(app, "tenant"),
                    app.contains("removed") ? "removed; its data goes at " + text_in(app, "removed")
                    : live.empty()          ? "nothing is live"
                                   : live + (live.contains(',') ? " are live" : " is live")));
  for (const Json& preview : app.value("previews", Json::array())) {
    print(fmt::format("  preview of version {}: {}\n", preview.value("version", 0ULL),
                      text_in(preview, "host")));
  }
  return {};
}

}  // namespace carrel::cli
