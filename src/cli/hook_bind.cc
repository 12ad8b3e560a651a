#include "cli/hook_bind.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/percent.h"
#include "cli/deployed_app.h"
#include "cli/json_text.h"
#include "cli/kept.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

std::string target_of(const BindOptions& options, const std::string& name) {
  std::string target = fmt::format("/v1/tenants/{}/bindings", percent_encode(options.tenant));
  if (!name.empty()) target += "/" + percent_encode(name);
  return target;
}

std::unexpected<Error> wrong(std::string text) {
  return fail(Code::invalid_argument, std::move(text), "carrel help hook");
}

// What it is, and what it is called if nobody says.
Result<std::string> add_module(const BindOptions& options, Json& body) {
  const auto slash = options.module.find('/');
  if (slash == std::string::npos) return wrong("--module is APP/NAME, of an app of the tenant");
  std::string name = options.module.substr(slash + 1);
  body["module"] = {{"app", options.module.substr(0, slash)}, {"name", name}};
  body["config"] = Json::object();
  for (const std::string& pair : options.config) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos) return wrong(fmt::format("--config cannot be {}", pair));
    body["config"][pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return name;
}

Result<std::string> add_endpoint(const BindOptions& options, Json& body) {
  if (options.secret.empty()) return wrong("--endpoint needs --secret, the name of one");
  if (!options.config.empty()) return wrong("--config is a module's");
  body["endpoint"] = {{"url", options.endpoint}, {"secret", options.secret}};
  if (!options.format.empty()) body["endpoint"]["format"] = options.format;
  return std::string();
}

Result<void> show(const Json& binding, bool json) {
  if (json) return write_json(binding);
  const Json at = binding.value("at", Json::object());
  const Json module = binding.value("module", Json::object());
  const Json endpoint = binding.value("endpoint", Json::object());
  const std::string what = module.empty() ? text_in(endpoint, "url")
                                          : text_in(module, "app") + "/" + text_in(module, "name");
  const std::string why = text_in(binding, "why");
  return write_line(fmt::format("{}: {} at {} of {} in {}: {}{}", text_in(binding, "name"), what,
                                text_in(at, "point"), text_in(at, "app"), text_in(at, "tenant"),
                                text_in(binding, "state"), why.empty() ? "" : " (" + why + ")"));
}

}  // namespace

void add_bind_options(CLI::App& app, BindOptions& options) {
  app.add_option("--app", options.app, "bind: the app that has the point")->type_name("APP");
  app.add_option("--of", options.of, "bind: whose app it is (default: the tenant above)")
      ->type_name("TENANT");
  app.add_option("--endpoint", options.endpoint, "bind: a server in place of a module")
      ->type_name("URL");
  app.add_option("--secret", options.secret, "bind: with --endpoint, whose keys sign")
      ->type_name("NAME");
  app.add_option("--format", options.format, "bind: with --endpoint, as in carrel.toml")
      ->type_name("FORMAT");
  app.add_option("--config", options.config, "bind: a value for the module; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("--order", options.order, "bind: lower first (default: 0)")->type_name("N");
  app.add_option("--percent", options.percent, "bind: only so many of the calls")
      ->type_name("N")
      ->check(CLI::Range(0, 100));
  app.add_flag("--disabled", options.disabled, "bind: it is there, and not called");
}

Result<void> hook_bind(NodeClient& node, const BindOptions& options) {
  if (options.app.empty()) return wrong("carrel hook bind needs --app, the app with the point");
  if (options.module.empty() == options.endpoint.empty())
    return wrong("carrel hook bind needs --module or --endpoint");
  Json body = {{"at", {{"app", options.app}, {"point", options.point}}},
               {"order", options.order},
               {"percent", options.percent},
               {"enabled", !options.disabled}};
  if (!options.of.empty()) body["at"]["tenant"] = options.of;
  CARREL_TRY(const std::string usual,
             options.module.empty() ? add_endpoint(options, body) : add_module(options, body));
  const std::string& name = options.name.empty() ? usual : options.name;
  if (name.empty()) return wrong("an endpoint is bound by a name of its own: --binding NAME");
  CARREL_TRY(const Json made, ask_json(node, "PUT", target_of(options, name), body.dump()));
  return show(made, options.json);
}

Result<void> hook_unbind(NodeClient& node, const BindOptions& options) {
  const auto done = node.call("DELETE", target_of(options, options.name));
  return done ? Result<void>() : std::unexpected(done.error());
}

Result<void> hook_bindings(NodeClient& node, const BindOptions& options) {
  return each_listed(node, target_of(options, ""), "bindings", {},
                     [&](const Json& binding) { return show(binding, options.json); });
}

}  // namespace carrel::cli
