// carrel secret: the secrets that a tenant keeps on a running server.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/kept.h"
#include "cli/pipes.h"
#include "store/sealer.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

struct Options {
  std::string action, tenant, name;
  NodeOptions node;
  ListOptions list;
  bool json = false;
};

Result<void> set(NodeClient& node, const Options& options, const std::string& target) {
  CARREL_TRY(
      const SecretBytes secret,
      read_secret(fmt::format("{} of {}: ", options.name, options.tenant), store::kMaxSecret));
  std::string body;  // which the client wipes
  body.reserve(secret.size() + kNeverInline);
  body += secret.view();
  CARREL_TRY_VOID(node.call("PUT", target, std::move(body)));
  return options.json ? write_json({{"set", options.name}}) : Result<void>();
}

Result<void> remove(NodeClient& node, const Options& options, const std::string& target) {
  CARREL_TRY_VOID(node.call("DELETE", target));
  return options.json ? write_json({{"removed", options.name}}) : Result<void>();
}

Result<void> list(NodeClient& node, const Options& options, const std::string& target) {
  return each_listed(node, target, "secrets", options.list, [&options](const Json& entry) {
    const std::string name = entry.is_string() ? entry.get<std::string>() : "";
    return options.json ? write_json({{"name", name}}) : write_line(name);
  });
}

Result<void> act(const Options& options) {
  const bool one = options.action != "list";
  if (one == options.name.empty()) {
    return fail(
        Code::invalid_argument,
        fmt::format("carrel secret {} {}", options.action, one ? "needs a NAME" : "takes no NAME"),
        "carrel help secret");
  }
  CARREL_TRY(const auto node, NodeClient::find(options.node, options.tenant));
  const std::string target = target_of(options.tenant, "secrets", "", options.name);
  if (options.action == "set") return set(*node, options, target);
  if (options.action == "remove") return remove(*node, options, target);
  return list(*node, options, target);
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("ACTION", options->action)
      ->required()
      ->check(CLI::IsMember({"set", "list", "remove"}));
  app.add_option("TENANT", options->tenant)->required();
  app.add_option("NAME", options->name);
  add_list_options(app, options->list);
  app.add_flag("--json", options->json, "As JSON; a line for each name");
  add_node_options(app, options->node);
  return [options] {
    const auto done = act(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kSecret;
const Command kSecret{
    .name = "secret",
    .group = Group::look,
    .summary = "Set, list and remove a tenant's secrets",
    .usage = "set|list|remove TENANT [NAME] [OPTIONS]",
    .details =
        "Asks the server that has TENANT. set asks for the secret without showing it, or takes standard\n"
        "input without its last line end; it is never an argument, which others can see. What a secret\n"
        "is can be told to the tenant's apps only. Exit status 3: there is no such secret.",
    .examples =
        "carrel secret set shop RATES_KEY\n"
        "carrel secret set shop RATES_KEY < key.txt\n"
        "carrel secret list shop\n",
    .add = add,
};

}  // namespace carrel::cli
