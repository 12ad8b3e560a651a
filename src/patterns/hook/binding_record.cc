#include "patterns/hook/binding_record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "app/units.h"
#include "patterns/hook/lane.h"
#include "tenant/path.h"

namespace carrel::hook {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr std::size_t kMostText = 4096, kMostConfig = 64;
constexpr std::int64_t kMostOrder = 1'000'000, kMostSeconds = std::int64_t{90} * 24 * 3600;

std::unexpected<Error> wrong(std::string text) {
  return fail(Code::invalid_argument, std::move(text));
}

Result<void> check_keys(const Json& json, std::string_view where,
                        std::initializer_list<std::string_view> known) {
  if (!json.is_object()) return wrong(fmt::format("{} is an object", where));
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(known, key) == known.end())
      return wrong(fmt::format("{} has no {}; it has {}", where, app::in_quotes(key),
                               fmt::join(known, ", ")));
  }
  return {};
}

// Empty: it is not there.
Result<std::string> text_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return std::string();
  if (!found->is_string() || found->get_ref<const std::string&>().size() > kMostText)
    return wrong(fmt::format("`{}` is a text", key));
  return found->get<std::string>();
}

Result<std::int64_t> integer_in(const Json& json, const char* key, std::int64_t least,
                                std::int64_t most, std::int64_t usual) {
  const auto found = json.find(key);
  if (found == json.end()) return usual;
  const bool fits = found->is_number_integer() &&
                    !(found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX);
  if (!fits || found->get<std::int64_t>() < least || found->get<std::int64_t>() > most)
    return wrong(fmt::format("`{}` is a whole number from {} to {}", key, least, most));
  return found->get<std::int64_t>();
}

Result<std::string> secret_in(const Json& json, const char* key) {
  CARREL_TRY(std::string name, text_in(json, key));
  if (app::is_variable(name)) return name;
  return wrong(fmt::format("`{}` is the name of a secret of the binding's tenant", key));
}

Result<net::Url> url_in(const Json& json) {
  CARREL_TRY(const std::string text, text_in(json, "url"));
  auto url = net::parse_url(text);
  if (!url) return wrong("`url`: " + url.error().message());
  if (url->text().size() > kMostText)  // as it is kept: "/" may have come to it
    return wrong(fmt::format("`url` has {} bytes at most", kMostText));
  if (app::is_private_way(*url)) return url;
  return wrong("`url` begins with https://; http:// is for the server's own machine");
}

Result<app::OAuthClient> read_oauth(const Json& json) {
  CARREL_TRY_VOID(check_keys(json, "`oauth`", {"url", "client_id", "client_secret", "scope"}));
  app::OAuthClient client;
  CARREL_TRY(client.url, url_in(json));
  CARREL_TRY(client.id, text_in(json, "client_id"));
  CARREL_TRY(client.secret, secret_in(json, "client_secret"));
  CARREL_TRY(client.scope, text_in(json, "scope"));
  if (client.id.empty() || client.id.size() > 256) return wrong("`oauth` needs a `client_id`");
  if (!app::is_scope(client.scope)) return wrong("`scope` is words with spaces between");
  return client;
}

Result<app::HookEndpoint> read_endpoint(const Json& json) {
  CARREL_TRY_VOID(
      check_keys(json, "`endpoint`", {"url", "secret", "format", "disable_after", "oauth"}));
  app::HookEndpoint endpoint;
  CARREL_TRY(endpoint.url, url_in(json));
  CARREL_TRY(endpoint.secret, secret_in(json, "secret"));
  CARREL_TRY(const std::string format, text_in(json, "format"));
  if (!format.empty()) {
    const auto parsed = app::parse_format(format);
    if (!parsed) return wrong("`format` is standard, cloudevents-binary or cloudevents-structured");
    endpoint.format = *parsed;
  }
  const auto usual = std::chrono::duration_cast<std::chrono::seconds>(endpoint.disable_after);
  CARREL_TRY(const auto seconds, integer_in(json, "disable_after", 1, kMostSeconds, usual.count()));
  endpoint.disable_after = std::chrono::seconds(seconds);
  if (json.contains("oauth")) {
    CARREL_TRY(endpoint.oauth, read_oauth(json["oauth"]));
  }
  return endpoint;
}

Json to_json(const app::HookEndpoint& endpoint) {
  const auto after = std::chrono::duration_cast<std::chrono::seconds>(endpoint.disable_after);
  Json json = {{"url", endpoint.url.text()},
               {"secret", endpoint.secret},
               {"format", app::format_name(endpoint.format)},
               {"disable_after", after.count()}};
  if (endpoint.oauth) {
    json["oauth"] = {{"url", endpoint.oauth->url.text()},
                     {"client_id", endpoint.oauth->id},
                     {"client_secret", endpoint.oauth->secret},
                     {"scope", endpoint.oauth->scope}};
  }
  return json;
}

Result<app::Pairs> read_config(const Json& json) {
  if (!json.is_object() || json.size() > kMostConfig)
    return wrong(fmt::format("`config` is an object of {} texts at most", kMostConfig));
  app::Pairs config;
  for (const auto& [name, value] : json.items()) {
    if (!app::is_variable(name))
      return wrong(
          fmt::format("{} in `config` is no name of a variable; it has letters, digits "
                      "and '_'",
                      app::in_quotes(name)));
    const bool fits = value.is_string() && value.get_ref<const std::string&>().size() <= kMostText;
    if (!fits || value.get_ref<const std::string&>().contains('\0'))
      return wrong(fmt::format("the value of {} in `config` is a text of {} bytes at most",
                               app::in_quotes(name), kMostText));
    config.emplace_back(name, value.get<std::string>());
  }
  return config;
}

Result<void> read_place(const Json& json, const TenantName& below, BindingRecord& record) {
  CARREL_TRY_VOID(check_keys(json, "`at`", {"tenant", "app", "point"}));
  CARREL_TRY(const std::string tenant, text_in(json, "tenant"));
  CARREL_TRY(std::string app, text_in(json, "app"));
  CARREL_TRY(record.point, text_in(json, "point"));
  record.tenant = tenant::parent_of(below);
  if (!tenant.empty()) {
    CARREL_TRY(record.tenant, tenant::parse_tenant(tenant));
  }
  if (record.tenant == tenant::kNode || record.tenant == below ||
      !tenant::contains(record.tenant, below)) {
    return fail(
        Code::permission_denied,
        fmt::format("a tenant binds to points of tenants above it; {} is not above {}",
                    record.tenant.str().empty() ? "the node" : record.tenant.str(), below.str()));
  }
  if (!app::is_name(app)) return wrong("`at` names the `app` that has the point");
  if (!app::is_point_name(record.point)) return wrong("`at` names a `point` of the app");
  record.app = AppName(std::move(app));
  return {};
}

}  // namespace

Result<BindingRecord> read_binding(const Json& json, const TenantName& below) {
  CARREL_TRY_VOID(check_keys(
      json, "a binding", {"at", "module", "endpoint", "config", "order", "percent", "enabled"}));
  BindingRecord record;
  if (!json.contains("at")) return wrong("a binding needs `at`: {\"app\": ..., \"point\": ...}");
  CARREL_TRY_VOID(read_place(json["at"], below, record));
  if (json.contains("module") == json.contains("endpoint"))
    return wrong("a binding has `module` or `endpoint`: one of them");
  if (json.contains("module")) {
    const Json& module = json["module"];
    CARREL_TRY_VOID(check_keys(module, "`module`", {"app", "name"}));
    CARREL_TRY(std::string from, text_in(module, "app"));
    CARREL_TRY(record.module, text_in(module, "name"));
    if (!app::is_name(from) || !app::is_name(record.module))
      return wrong("`module` names an `app` of the binding's tenant, and its `name` there");
    record.from = AppName(std::move(from));
  } else {
    CARREL_TRY(record.endpoint, read_endpoint(json["endpoint"]));
  }
  if (json.contains("config")) {
    CARREL_TRY(record.config, read_config(json["config"]));
  }
  if (record.endpoint && !record.config.empty())
    return wrong("`config` is a module's; an endpoint has its own");
  CARREL_TRY(const auto order, integer_in(json, "order", -kMostOrder, kMostOrder, 0));
  CARREL_TRY(const auto percent, integer_in(json, "percent", 0, 100, 100));
  record.order = static_cast<int>(order);
  record.percent = static_cast<unsigned>(percent);
  if (json.contains("enabled")) {
    if (!json["enabled"].is_boolean()) return wrong("`enabled` is true or false");
    record.enabled = json["enabled"].get<bool>();
  }
  return record;
}

Json to_json(const BindingRecord& record) {
  Json json = {
      {"at", {{"tenant", record.tenant.str()}, {"app", record.app.str()}, {"point", record.point}}},
      {"order", record.order},
      {"percent", record.percent},
      {"enabled", record.enabled}};
  if (record.endpoint) {
    json["endpoint"] = to_json(*record.endpoint);
    return json;
  }
  json["module"] = {{"app", record.from.str()}, {"name", record.module}};
  json["config"] = Json::object();
  for (const auto& [name, value] : record.config) json["config"][name] = value;
  return json;
}

std::string encode(const BindingRecord& record) {
  Json json = to_json(record);
  json["revision"] = record.revision;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<BindingRecord> decode_binding(std::string_view record, const TenantName& below) {
  const auto damaged = fail(Code::data_corrupt, "a binding is damaged");
  Json json = Json::parse(record, nullptr, false);
  if (!json.is_object() || !json.contains("revision") || !json["revision"].is_number_unsigned())
    return damaged;
  const auto revision = json["revision"].get<std::uint64_t>();
  json.erase("revision");
  auto binding = read_binding(json, below);
  if (!binding) return damaged;
  binding->revision = revision;
  return binding;
}

Task<Result<std::optional<BindingRecord>>> find_binding(store::Transaction* transaction,
                                                        TenantName tenant, std::string name) {
  CARREL_CO_TRY(const store::Record* const found, co_await transaction->read(kBindings, name));
  if (found == nullptr) co_return std::optional<BindingRecord>();
  CARREL_CO_TRY(BindingRecord record, decode_binding(found->bytes, tenant));
  co_return std::optional(std::move(record));
}

std::string full_name(const TenantName& above, const TenantName& tenant, std::string_view name) {
  return fmt::format("{}/{}", std::string_view(tenant.str()).substr(above.str().size() + 1), name);
}

std::string lane_of(const BindingRecord& record, const TenantName& tenant, std::string_view name) {
  return lane_text({.tenant = record.tenant,
                    .app = record.app,
                    .point = record.point,
                    .binding = full_name(record.tenant, tenant, name)});
}

}  // namespace carrel::hook
