#include "api/served.h"

#include <algorithm>

#include "api/query.h"
#include "tenant/path.h"

namespace carrel::api {
namespace {

AppKey key_of(const AppInfo& app) { return {TenantName(app.tenant), AppName(app.name)}; }

Result<AppKey> read_key(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos)
    return fail(Code::invalid_argument, "after is the `next` of a page");
  return AppKey{TenantName(std::string(text.substr(0, colon))),
                AppName(std::string(text.substr(colon + 1)))};
}

// What lies in both; nothing: nothing does.
std::optional<TenantName> common(const TenantName& scope, const std::optional<TenantName>& asked) {
  if (!asked || tenant::contains(*asked, scope)) return scope;
  if (tenant::contains(scope, *asked)) return asked;
  return {};
}

}  // namespace

Result<ServedQuery> read_served_query(std::string_view text) {
  ServedQuery query;
  CARREL_TRY(const auto pairs, read_query(text));
  for (const auto& [key, value] : pairs) {
    if (key == "tenant") {
      CARREL_TRY(query.tenant, tenant::parse_tenant(value));
    } else if (key == "after") {
      CARREL_TRY(query.after, read_key(value));
    } else if (key == "limit") {
      CARREL_TRY(query.limit, read_number(key, value, kMostListed));
    } else {
      return fail(Code::invalid_argument, "apps are listed with tenant, after and limit");
    }
  }
  return query;
}

ServedPage served_apps(const Node& node, const TenantName& scope, const ServedQuery& query) {
  ServedPage page;
  const auto subtree = common(scope, query.tenant);
  if (!subtree) return page;
  const auto* const deployed = node.deployed();
  if (deployed != nullptr)
    page.apps = deployed->deployed_in(*subtree, query.after, query.limit + 1);
  for (const auto info = node.info(); const AppInfo& app : info->apps) {
    if (tenant::contains(*subtree, TenantName(app.tenant)) && query.after < key_of(app))
      page.apps.push_back(app);
  }
  std::ranges::sort(page.apps, {}, key_of);
  if (page.apps.size() <= query.limit) return page;
  page.apps.resize(query.limit);
  page.next = page.apps.back().tenant + ":" + page.apps.back().name;
  return page;
}

std::size_t count_served(const Node& node) {
  const auto* const deployed = node.deployed();
  return node.info()->apps.size() + (deployed == nullptr ? 0 : deployed->apps_deployed());
}

}  // namespace carrel::api
