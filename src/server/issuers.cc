#include "server/issuers.h"

#include <fmt/format.h>

#include "app/table_reader.h"

namespace carrel::server {
namespace {

namespace fs = std::filesystem;
using app::TableReader;
using app::TomlValue;
using tenant::Issuer;

// The issuer says itself where its keys are, at a place that follows from its name.
void read_discovery(TableReader& table, Issuer& issuer) {
  std::string name = issuer.expected.issuer;
  if (name.ends_with('/')) name.pop_back();
  auto url = net::parse_url(name + "/.well-known/openid-configuration");
  if (url && tenant::may_have_keys(*url)) {
    issuer.discovery = std::move(*url);
  } else {
    table.problem("issuer",
                  "it has no `keys`, and its name is no https URL at which they could be found");
  }
}

// "https://..." or, on the loopback only, "http://..."; else a file beside this one.
void read_keys(TableReader& table, const fs::path& folder, Issuer& issuer) {
  const auto keys = table.text("keys");
  if (!keys) return read_discovery(table, issuer);
  if (!keys->contains("://")) {
    issuer.file = folder / *keys;
    return;
  }
  auto url = net::parse_url(*keys);
  if (!url) return table.problem("keys", "it is no URL: " + url.error().message());
  if (!tenant::may_have_keys(*url))
    return table.problem("keys", "keys are fetched with https, or with http from the loopback");
  issuer.url = std::move(*url);
}

std::optional<TenantName> read_tenant(TableReader& table, std::string_view key) {
  const auto text = table.text(key);
  if (!text) return {};
  auto name = tenant::parse_tenant(*text);
  if (name) return std::move(*name);
  table.problem(key, name.error().message());
  return {};
}

void read_access(const TomlValue& value, app::Problems& problems, Issuer& issuer) {
  TableReader table(value, "[[issuer.access]]", problems);
  tenant::AccessRule rule;
  if (auto claim = table.required_text("claim")) rule.claim = std::move(*claim);
  if (auto text = table.required_text("value")) rule.value = std::move(*text);
  rule.scope = read_tenant(table, "tenant").value_or(issuer.tenant);
  if (!tenant::contains(issuer.tenant, rule.scope))
    table.problem("tenant", "it is not the issuer's tenant, nor below it");
  for (const std::string& name : table.texts("verbs")) {
    const auto verb = tenant::parse_verb(name);
    if (verb) {
      rule.verbs.add({*verb});
    } else {
      table.problem("verbs", verb.error().message());
    }
  }
  if (rule.verbs.empty()) table.problem("verbs", "a rule needs verbs: verbs = [\"read\"]");
  table.finish();
  issuer.access.push_back(std::move(rule));
}

Issuer read_issuer(const TomlValue& value, const fs::path& folder, app::Problems& problems) {
  TableReader table(value, "[[issuer]]", problems);
  Issuer issuer;
  if (auto name = table.required_text("issuer")) issuer.expected.issuer = std::move(*name);
  issuer.expected.audiences = table.texts("audience");
  if (issuer.expected.audiences.empty())
    table.problem("audience", "an issuer needs audience = [\"...\"]: whom its tokens are for");
  for (const std::string& name : table.texts("algorithms")) {
    const auto algorithm = tenant::algorithm_of(name);
    if (algorithm) {
      issuer.expected.algorithms.push_back(*algorithm);
    } else {
      table.problem("algorithms", "there are RS256, ES256 and EdDSA");
    }
  }
  if (issuer.expected.algorithms.empty())
    table.problem("algorithms", "an issuer needs algorithms = [\"RS256\"]: what it signs with");
  issuer.tenant = read_tenant(table, "tenant").value_or(tenant::kNode);
  read_keys(table, folder, issuer);
  for (const TomlValue* access : table.tables("access")) read_access(*access, problems, issuer);
  table.finish();
  return issuer;
}

}  // namespace

Result<Issuers> load_issuers(const fs::path& file) {
  CARREL_TRY(const std::string text, app::read_small_file(file));
  CARREL_TRY(const TomlValue root, app::parse_toml(text, file.native()));
  app::Problems problems(file.native());
  TableReader table(root, "the file of issuers", problems);
  auto issuers = std::make_shared<std::vector<Issuer>>();
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  for (const TomlValue* each : table.tables("issuer"))
    issuers->push_back(read_issuer(*each, folder, problems));
  table.finish();
  if (!problems.empty()) return std::unexpected(problems.error());
  return Issuers(std::move(issuers));
}

}  // namespace carrel::server
