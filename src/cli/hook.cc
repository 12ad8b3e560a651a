// carrel hook: the hook points of an app that a running server serves.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/percent.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/pipes.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostInput = 1 << 20;
constexpr std::chrono::seconds kLongest{90};  // a point's deadline is a minute at most

struct Options {
  std::string action, point, input, tenant;
  NodeOptions node;
  bool json = false;
};

std::unexpected<Error> no_points() {
  return fail(Code::unavailable, "the server's answer is not one of hook points",
              "does --server name the listener of hook points, not the /v1 API?");
}

Result<void> list(NodeClient& node, const Options& options) {
  CARREL_TRY(const NodeAnswer answer, node.call("GET", "/v1/hooks"));
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("points") || !json["points"].is_array())
    return no_points();
  for (const Json& point : json["points"]) {
    if (options.json) {
      CARREL_TRY_VOID(write_json(point));
      continue;
    }
    CARREL_TRY_VOID(
        write_line(fmt::format("{} ({})", text_in(point, "point"), text_in(point, "combine"))));
    const auto bindings = point.find("bindings");
    if (bindings == point.end() || !bindings->is_array()) return no_points();
    for (const Json& each : *bindings) {
      CARREL_TRY_VOID(
          write_line(fmt::format("  {} in {}", text_in(each, "name"), text_in(each, "tenant"))));
    }
  }
  return {};
}

Result<void> call(NodeClient& node, const Options& options) {
  std::string target = fmt::format("/v1/hooks/{}:invoke", percent_encode(options.point));
  if (!options.tenant.empty()) target += "?tenant=" + percent_encode(options.tenant);
  std::string input;
  if (options.input.empty() || options.input == "-") {
    CARREL_TRY(input, read_input(kMostInput));
  } else {
    CARREL_TRY(input, read_file(options.input, kMostInput));
  }
  CARREL_TRY(const NodeAnswer answer, node.call("POST", target, std::move(input), kLongest));
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("output")) return no_points();
  return write_json(options.json ? json : json["output"]);
}

Result<void> act(const Options& options) {
  const bool calls = options.action == "call";
  if (calls == options.point.empty()) {
    return fail(Code::invalid_argument,
                fmt::format("carrel hook {} {}", options.action,
                            calls ? "needs a POINT" : "takes no POINT"),
                "carrel help hook");
  }
  CARREL_TRY(const auto node, NodeClient::of_hooks(options.node));
  return calls ? call(*node, options) : list(*node, options);
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("ACTION", options->action)->required()->check(CLI::IsMember({"list", "call"}));
  app.add_option("POINT", options->point);
  app.add_option("INPUT", options->input);
  app.add_option("--tenant", options->tenant, "Whom the call is for (default: all tenants)")
      ->type_name("TENANT");
  app.add_flag("--json", options->json, "list: a line for each point; call: what each module did");
  app.add_option("--server", options->node.server,
                 "Where hook points are called (default: one that uses the\nstate folder)")
      ->type_name("URL");
  add_token_options(app, options->node);
  return [options] {
    const auto done = act(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kHook;
const Command kHook{
    .name = "hook",
    .group = Group::look,
    .summary = "List the hook points of an app, and call one",
    .usage = "list|call [POINT [INPUT]] [OPTIONS]",
    .details =
        "Asks the server where hook points are called. call sends INPUT, a file with JSON, or standard\n"
        "input, and prints the output; with --json also what came of each module. Modules are bound in\n"
        "carrel.toml. Exit status 3: there is no such point.",
    .examples =
        "carrel hook list\n"
        "carrel hook call cart.discounts cart.json --tenant shop/merchant-17\n"
        "echo '{\"total\": 12.5}' | carrel hook call cart.discounts --json\n",
    .add = add,
};

}  // namespace carrel::cli
