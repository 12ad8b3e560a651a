// carrel token: the tokens of a running server, for a tenant and all below it, or for the node.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/units.h"
#include "base/percent.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/pipes.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

struct Options {
  std::string action, id, tenant, name, expires;
  std::vector<std::string> verbs;
  NodeOptions node;
  ListOptions list;
  bool json = false;
};

std::string target_of(const Options& options) {
  return options.tenant.empty()
             ? "/v1/tokens"
             : fmt::format("/v1/tenants/{}/tokens", percent_encode(options.tenant));
}

Result<void> create(NodeClient& node, const Options& options) {
  Json body = {{"verbs", options.verbs}};
  if (!options.name.empty()) body["name"] = options.name;
  if (!options.expires.empty()) {
    const auto time = app::parse_duration(options.expires);
    const auto seconds = time ? std::chrono::ceil<std::chrono::seconds>(*time).count() : 0;
    if (seconds <= 0) {
      return fail(Code::invalid_argument, fmt::format("--expires cannot be {}", options.expires),
                  "a number and a unit: 30m, 720h");
    }
    body["ttl"] = seconds;
  }
  CARREL_TRY(const NodeAnswer answer, node.call("POST", target_of(options), body.dump()));
  const Json made = Json::parse(answer.body, nullptr, false);
  if (options.json) return write_json(made);
  print_error(fmt::format("carrel: made {}; it is shown this once\n", text_in(made, "id")));
  return write_output(text_in(made, "token") + "\n");
}

Result<void> list(NodeClient& node, const Options& options) {
  return each_listed(
      node, target_of(options), "tokens", options.list, [&options](const Json& token) {
        if (options.json) return write_json(token);
        const auto verbs = token.value("verbs", std::vector<std::string>());
        return write_output(fmt::format("{} {} {}\n", text_in(token, "id"), fmt::join(verbs, ","),
                                        text_in(token, "name")));
      });
}

Result<void> act(const Options& options) {
  if ((options.action == "revoke") == options.id.empty()) {
    return fail(Code::invalid_argument,
                fmt::format("carrel token {} {}", options.action,
                            options.id.empty() ? "needs an ID" : "takes no ID"),
                "carrel help token");
  }
  if ((options.action == "create") == options.verbs.empty()) {
    return fail(Code::invalid_argument,
                fmt::format("carrel token {} {}", options.action,
                            options.verbs.empty() ? "needs --verbs" : "takes no --verbs"),
                "carrel help token");
  }
  CARREL_TRY(const auto node, NodeClient::find(options.node, options.tenant));
  if (options.action == "create") return create(*node, options);
  if (options.action == "list") return list(*node, options);
  CARREL_TRY_VOID(
      node->call("DELETE", fmt::format("{}/{}", target_of(options), percent_encode(options.id))));
  return options.json ? write_json({{"revoked", options.id}}) : Result<void>();
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("ACTION", options->action)
      ->required()
      ->check(CLI::IsMember({"create", "list", "revoke"}));
  app.add_option("ID", options->id);
  app.add_option("--tenant", options->tenant,
                 "Whose: the token opens it and all below (default: the node)")
      ->type_name("TENANT");
  app.add_option("--verbs", options->verbs, "create: what it may do, with commas between")
      ->type_name("VERBS")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--name", options->name, "create: what people call it")->type_name("TEXT");
  app.add_option("--expires", options->expires, "create: it opens nothing after it: 30m, 720h")
      ->type_name("TIME");
  app.add_flag("--json", options->json, "As JSON; a line for each token");
  add_node_options(app, options->node);
  return [options] {
    const auto done = act(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kToken;
const Command kToken{
    .name = "token",
    .group = Group::serve,
    .summary = "Create, list and revoke tokens of a server",
    .usage = "create|list|revoke [ID] [OPTIONS]",
    .details =
        "A token opens the /v1 API for a tenant and all below it, or with no --tenant for the whole node.\n"
        "create writes it to standard output, this once: a server keeps its hash only. Nobody gives a verb\n"
        "that they do not have. Verbs: read, data-read, data-write, secrets, deploy, invoke, logs, audit,\n"
        "tokens, tenants, operate. Exit status 3: there is no such token.",
    .examples =
        "carrel token create --tenant acme --verbs read,deploy --name ci --expires 720h > ci.token\n"
        "carrel token list --tenant acme\n"
        "carrel token revoke 3f9a0b1c2d3e4f50 --tenant acme\n",
    .add = add,
};

}  // namespace carrel::cli
