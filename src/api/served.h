// The apps that this node serves: those of folders and those that tenants deployed, as one list in
// order of tenants and names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/node.h"
#include "base/result.h"

namespace carrel::api {

struct ServedQuery {
  std::optional<TenantName> tenant;  // with all below it
  AppKey after;
  std::size_t limit = 100;
};
// "tenant=acme&after=acme:shop&limit=10". Errors: invalid_argument.
Result<ServedQuery> read_served_query(std::string_view query);

struct ServedPage {
  std::vector<AppInfo> apps;
  std::string next;  // for `after`; empty: that is all
};
// Of `scope` and below.
ServedPage served_apps(const Node& node, const TenantName& scope, const ServedQuery& query);

std::size_t count_served(const Node& node);

}  // namespace carrel::api
