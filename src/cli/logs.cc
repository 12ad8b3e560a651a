// carrel logs: what the apps of a tenant say on a running server.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/percent.h"
#include "cli/command.h"
#include "cli/event_stream.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/pipes.h"
#include "cli/terminal.h"
#include "observe/json_line.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

struct Options {
  std::string tenant, app;
  std::uint64_t lines = 100;
  NodeOptions node;
  bool follow = false;
  bool json = false;
};

// "12:30:01.250 shop/price 00000000000000a1 | the rates are from yesterday"
Result<void> show(const Json& line, const Options& options) {
  if (options.json) return write_json(line);
  const auto field = [&](const char* name) { return observe::printable(text_in(line, name)); };
  const std::string code = field("code");
  return write_output(fmt::format("{} {}/{} {} | {}{}{}\n", field("time"), field("app"),
                                  field("module"), field("id"), code, code.empty() ? "" : ": ",
                                  field("text")));
}

Result<void> show(const StreamEvent& event, const Options& options) {
  CARREL_TRY_VOID(check_end(event));
  if (event.name == "gap") {
    if (options.json) return write_json({{"gap", true}});
    print_error("carrel: some lines were missed\n");
    return {};
  }
  if (event.name != "line") return {};
  const Json line = Json::parse(event.data, nullptr, false);
  return line.is_object() ? show(line, options) : Result<void>();
}

// Until the server ends it, or nobody reads what we write.
Result<void> follow(NodeClient& node, const Options& options, const std::string& target) {
  EventStream stream;
  Result<void> written;
  const auto followed = node.follow(target + "&follow", [&](std::string_view piece) {
    for (const StreamEvent& event : stream.take(piece)) {
      written = show(event, options);
      if (!written) return false;
    }
    return true;
  });
  if (!written) return written;
  if (!followed && !stream.begun()) return followed;
  return fail(Code::unavailable, "the server ended the log", "when it runs again, follow again");
}

Result<void> logs(const Options& options) {
  CARREL_TRY(const auto node, NodeClient::find(options.node, options.tenant));
  std::string target = target_of(options.tenant, "logs", "", "");
  target += fmt::format("?limit={}", options.lines);
  if (!options.app.empty()) target += "&app=" + percent_encode(options.app);
  if (options.follow) return follow(*node, options, target);
  CARREL_TRY(const NodeAnswer answer, node->call("GET", target));
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("lines") || !json["lines"].is_array()) {
    return fail(Code::unavailable, "the server's answer is not valid");
  }
  for (const Json& line : json["lines"]) CARREL_TRY_VOID(show(line, options));
  return {};
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("TENANT", options->tenant)->required();
  app.add_option("--app", options->app, "Only of this app (default: all of the tenant's)")
      ->type_name("NAME");
  app.add_flag("-f,--follow", options->follow, "Go on with what comes");
  app.add_option("-n,--lines", options->lines, "How many of the newest lines (default: 100)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000).description(""));
  app.add_flag("--json", options->json, "As JSON; a line for each");
  add_node_options(app, options->node);
  return [options] {
    const auto done = logs(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kLogs;
const Command kLogs{
    .name = "logs",
    .group = Group::look,
    .summary = "Show what a tenant's functions say, and why they failed",
    .usage = "TENANT [-f] [OPTIONS]",
    .details =
        "Asks the server that has TENANT for the newest lines of standard error and the turns that failed;\n"
        "the server keeps the last 256 of each app in memory. The id is the one that a failed request\n"
        "was answered with. With -f it goes on until Ctrl-C.",
    .examples =
        "carrel logs shop\n"
        "carrel logs shop -f --app checkout\n"
        "carrel logs shop --json | jq -r 'select(.kind == \"failed\").code'\n",
    .add = add,
};

}  // namespace carrel::cli
