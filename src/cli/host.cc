// carrel host: host names of a tenant's own, on a running server.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/percent.h"
#include "cli/command.h"
#include "cli/deployed_app.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/pipes.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

struct Options {
  std::string action, tenant, name, app;
  NodeOptions node;
  ListOptions list;
  bool json = false;

  std::string target() const {
    if (tenant.empty()) return "/v1/hosts";
    const std::string all = fmt::format("/v1/tenants/{}/hosts", percent_encode(tenant));
    return name.empty() ? all : fmt::format("{}/{}", all, percent_encode(name));
  }
};

std::string certificate_of(const Json& host) {
  if (!host.contains("certificate")) return {};
  const Json& certificate = host["certificate"];
  const std::string state = text_in(certificate, "state");
  std::string text =
      state == "none"
          ? "  no certificate"
          : fmt::format("  certificate of {} {} {}", text_in(certificate, "from"),
                        state == "valid" ? "until" : "ended", text_in(certificate, "until"));
  if (!certificate.is_object() || !certificate.contains("failure")) return text;
  const Json& failure = certificate["failure"];
  return text + fmt::format("; not issued: {}; again at {}", text_in(failure, "message"),
                            text_in(failure, "again"));
}

std::string line_of(const Json& host) {
  std::string text = fmt::format("{:32}  {:8}  {}", text_in(host, "host"), text_in(host, "state"),
                                 text_in(host, "app"));
  if (host.contains("tenant")) text += fmt::format("  of {}", text_in(host, "tenant"));
  return text + certificate_of(host);
}

// What is to be done for a name that is not proven yet.
std::string help_of(const Json& host) {
  const Json proof = host.value("proof", Json::object());
  const Json dns = proof.value("dns", Json::object()), http = proof.value("http", Json::object());
  return fmt::format(
      "It is served once it is proven. Either make this text record in the DNS:\n"
      "  {}  TXT  \"{}\"\n"
      "or have whoever serves the name today answer at\n"
      "  {}\n"
      "with\n"
      "  {}\n",
      text_in(dns, "name"), text_in(dns, "text"), text_in(http, "url"), text_in(http, "body"));
}

Result<void> show(const Json& host, const Options& options) {
  if (options.json) return write_json(host);
  CARREL_TRY_VOID(write_line(line_of(host)));
  return host.value("state", "") == "proven" ? Result<void>() : write_output(help_of(host));
}

Result<void> check(NodeClient& node, const Options& options) {
  CARREL_TRY(const Json host, ask_json(node, "POST", options.target() + ":check"));
  CARREL_TRY_VOID(show(host, options));
  if (!host.contains("problem")) return {};
  return fail(Code::permission_denied,
              fmt::format("{} is not proven. {}", options.name, text_in(host, "problem")),
              "records in the DNS take their time; try again later");
}

Result<void> list(NodeClient& node, const Options& options) {
  return each_listed(node, options.target(), "hosts", options.list, [&options](const Json& host) {
    return options.json ? write_json(host) : write_line(line_of(host));
  });
}

Result<void> act(const Options& options) {
  const bool lists = options.action == "list", adds = options.action == "add";
  if (lists != options.name.empty() || (!lists && options.tenant.empty())) {
    return fail(Code::invalid_argument,
                fmt::format("carrel host {} {}", options.action,
                            lists ? "takes no NAME" : "needs a TENANT and a NAME"),
                "carrel help host");
  }
  if (adds != !options.app.empty())
    return fail(Code::invalid_argument, "add, and nothing else, takes --app APP",
                "carrel help host");
  CARREL_TRY(const auto node, NodeClient::find(options.node, options.tenant));
  if (lists) return list(*node, options);
  if (options.action == "check") return check(*node, options);
  if (options.action == "remove") {
    CARREL_TRY_VOID(node->call("DELETE", options.target()));
    return options.json ? write_json({{"removed", options.name}}) : Result<void>();
  }
  CARREL_TRY(const NodeAnswer answer,
             node->call(adds ? "PUT" : "GET", options.target(),
                        adds ? Json{{"app", options.app}}.dump() : std::string()));
  return show(Json::parse(answer.body, nullptr, false), options);
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("ACTION", options->action)
      ->required()
      ->check(CLI::IsMember({"add", "list", "show", "check", "remove"}));
  app.add_option("TENANT", options->tenant);
  app.add_option("NAME", options->name);
  app.add_option("--app", options->app, "add: the app that is to be served under the name")
      ->type_name("APP");
  add_list_options(app, options->list);
  app.add_flag("--json", options->json, "As JSON; a line for each name");
  add_node_options(app, options->node);
  return [options] {
    const auto done = act(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kHost;
const Command kHost{
    .name = "host",
    .group = Group::serve,
    .summary = "Claim, prove, list and give up host names of a tenant's own",
    .usage = "add|show|check|remove TENANT NAME [OPTIONS] | list [TENANT] [OPTIONS]",
    .details =
        "A name is served once its tenant has proven that it is theirs: add says how, check looks for the\n"
        "proof. Given up, or when its app is removed, it is not served any more. list without a TENANT shows\n"
        "the operator whose every name is. Of a proven name list and show tell, where the server has TLS,\n"
        "which certificate it has, until when, and why an order failed. Exit status 3: there is no such\n"
        "claim.",
    .examples =
        "carrel host add acme www.example.com --app shop\n"
        "carrel host check acme www.example.com\n"
        "carrel host list acme --json\n",
    .add = add,
};

}  // namespace carrel::cli
