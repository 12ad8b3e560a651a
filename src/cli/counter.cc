// carrel counter: the counters that a tenant keeps on a running server.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/pipes.h"

namespace carrel::cli {
namespace {

struct Options {
  std::string action, tenant, store, key;
  NodeOptions node;
  bool json = false;
};

Result<void> get(const Options& options) {
  CARREL_TRY(const auto node, NodeClient::find(options.node, options.tenant));
  CARREL_TRY(const NodeAnswer answer,
             node->call("GET", target_of(options.tenant, "counters", options.store, options.key)));
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("value") || !json["value"].is_number_integer())
    return fail(Code::unavailable, "the server's answer is not a counter",
                "does --server name the /v1 API of Carrel?");
  const auto value = json["value"].get<std::int64_t>();
  if (options.json) {
    auto named_value = named("name", options.key);
    named_value["value"] = value;
    return write_json(named_value);
  }
  return write_output(std::to_string(value) + "\n");
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("ACTION", options->action)->required()->check(CLI::IsMember({"get"}));
  app.add_option("TENANT", options->tenant)->required();
  app.add_option("STORE", options->store)->required();
  app.add_option("KEY", options->key)->required();
  app.add_flag("--json", options->json, "As JSON");
  add_node_options(app, options->node);
  return [options] {
    const auto done = get(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kCounter;
const Command kCounter{
    .name = "counter",
    .group = Group::look,
    .summary = "Read a tenant's counters",
    .usage = "get TENANT STORE KEY [OPTIONS]",
    .details = "Asks the server that has TENANT. A counter that was never added to is 0.",
    .examples = "carrel counter get shop stock apple\n",
    .add = add,
};

}  // namespace carrel::cli
