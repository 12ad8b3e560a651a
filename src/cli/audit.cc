// carrel audit: who changed what on a running server.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/percent.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/pipes.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

struct Options {
  std::string tenant;
  NodeOptions node;
  std::uint64_t limit = 100;
  bool json = false;
};

std::string text_of(const Json& entry) {
  const auto time = std::chrono::seconds(entry.value("time", std::uint64_t{0}) / 1000);
  std::string text =
      fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {} {} {} {}",
                  fmt::gmtime(static_cast<std::time_t>(time.count())), text_in(entry, "who"),
                  text_in(entry, "from"), text_in(entry, "action"), text_in(entry, "target"));
  for (const char* key : {"before", "after"}) {
    if (entry.contains(key)) text += fmt::format(" {}={}", key, entry[key].dump());
  }
  return text + "\n";
}

Result<void> act(const Options& options) {
  CARREL_TRY(const auto node, NodeClient::find(options.node, options.tenant));
  const std::string target =
      options.tenant.empty() ? "/v1/audit"
                             : fmt::format("/v1/tenants/{}/audit", percent_encode(options.tenant));
  return each_listed(*node, target, "entries", {.prefix = {}, .after = {}, .limit = options.limit},
                     [&options](const Json& entry) {
                       return options.json ? write_json(entry) : write_output(text_of(entry));
                     });
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("TENANT", options->tenant);
  app.add_option("--limit", options->limit, "At most so many entries; 0: all (default: 100)")
      ->type_name("N");
  app.add_flag("--json", options->json, "As JSON; a line for each entry");
  add_node_options(app, options->node);
  return [options] {
    const auto done = act(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kAudit;
const Command kAudit{
    .name = "audit",
    .group = Group::serve,
    .summary = "Show who changed what on a server",
    .usage = "[TENANT] [OPTIONS]",
    .details =
        "The newest first: when, who, from where, what, and what it was before and after; never a secret.\n"
        "Without TENANT, what concerns the node itself. Entries are kept for 90 days.",
    .examples = "carrel audit acme --limit 20\n",
    .add = add,
};

}  // namespace carrel::cli
