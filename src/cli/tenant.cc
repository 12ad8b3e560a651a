// carrel tenant: the tenants of a running server.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <nlohmann/json.hpp>

#include "app/units.h"
#include "base/percent.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/pipes.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

struct Options {
  std::string action, tenant;
  std::vector<std::string> quotas;
  NodeOptions node;
  ListOptions list;
  bool json = false;
};

// "storage_bytes=1GiB", "storage_bytes=none".
Result<Json> read_quotas(const std::vector<std::string>& texts) {
  Json quotas = Json::object();
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
    const std::string name = text.substr(0, equals);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (value == "none") {
      quotas[name] = nullptr;
    } else if (error == std::errc() && end == value.data() + value.size()) {
      quotas[name] = number;
    } else if (const auto size = app::parse_size(value)) {
      quotas[name] = *size;
    } else {
      return fail(Code::invalid_argument, fmt::format("--quota cannot be {}", text),
                  "write NAME=NUMBER, NAME=10GiB or NAME=none");
    }
  }
  return quotas;
}

std::string text_of(const Json& tenant) {
  std::string text = text_in(tenant, "name") + "\n";
  const Json quotas = tenant.value("quotas", Json::object());
  for (const auto& [name, value] : quotas.items())
    text += fmt::format("  {} {}\n", name, value.dump());
  if (tenant.contains("stored_bytes"))
    text += fmt::format("  stores {} bytes with all below it\n", tenant["stored_bytes"].dump());
  if (tenant.contains("removed")) text += "  removed\n";
  return text;
}

Result<void> show(const NodeAnswer& answer, const Options& options) {
  const Json tenant = Json::parse(answer.body, nullptr, false);
  if (options.json) return write_json(tenant);
  return write_output(text_of(tenant));
}

Result<void> act(const Options& options) {
  const bool list = options.action == "list";
  if (list != options.tenant.empty()) {
    return fail(Code::invalid_argument,
                fmt::format("carrel tenant {} {}", options.action,
                            list ? "takes no TENANT" : "needs a TENANT"),
                "carrel help tenant");
  }
  const bool sets = options.action == "create" || options.action == "update";
  if (!sets && !options.quotas.empty())
    return fail(Code::invalid_argument, "only create and update take --quota",
                "carrel help tenant");
  CARREL_TRY(const Json quotas, read_quotas(options.quotas));
  CARREL_TRY(const auto node, NodeClient::find(options.node, options.tenant));
  const std::string target = "/v1/tenants/" + percent_encode(options.tenant);
  if (list) {
    return each_listed(
        *node, "/v1/tenants", "tenants", options.list, [&options](const Json& tenant) {
          return options.json ? write_json(tenant) : write_output(text_in(tenant, "name") + "\n");
        });
  }
  std::string method = "GET", path = target, body;
  if (options.action == "create") {
    method = "POST";
    path = "/v1/tenants";
    body = Json{{"name", options.tenant}, {"quotas", quotas}}.dump();
  } else if (options.action == "update") {
    method = "PATCH";
    body = Json{{"quotas", quotas}}.dump();
  } else if (options.action == "remove") {
    method = "DELETE";
  } else if (options.action == "restore") {
    method = "POST";
    path += ":restore";
  }
  CARREL_TRY(const NodeAnswer answer, node->call(method, path, body));
  return show(answer, options);
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("ACTION", options->action)
      ->required()
      ->check(CLI::IsMember({"create", "list", "show", "update", "remove", "restore"}));
  app.add_option("TENANT", options->tenant);
  app.add_option("--quota", options->quotas,
                 "create, update: a quota, or none to take it away; may be repeated")
      ->type_name("NAME=NUMBER")
      ->allow_extra_args(false);
  add_list_options(app, options->list);
  app.add_flag("--json", options->json, "As JSON; a line for each tenant");
  add_node_options(app, options->node);
  return [options] {
    const auto done = act(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kTenant;
const Command kTenant{
    .name = "tenant",
    .group = Group::serve,
    .summary = "Create, list, change and remove a server's tenants",
    .usage = "create|list|show|update|remove|restore [TENANT] [OPTIONS]",
    .details =
        "A tenant is a path of names: acme, acme/merchant-17. --quota bounds what it and all below\n"
        "it use: storage_bytes, turns_per_second, concurrent_turns, cpu_ms_per_second, memory_bytes, calls_per_second,\n"
        "concurrent_calls, log_bytes_per_second; and weight is its share of CPU time, 1 to 1000.\n"
        "One with apps, or with tenants below it, is not removed; one that is removed can be restored for\n"
        "seven days. Exit status 3: there is no such tenant.",
    .examples =
        "carrel tenant create acme --quota storage_bytes=10GiB\n"
        "carrel tenant create acme/merchant-17\n"
        "carrel tenant list --json\n",
    .add = add,
};

}  // namespace carrel::cli
