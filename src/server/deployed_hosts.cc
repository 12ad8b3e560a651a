#include "server/deployed_hosts.h"

#include <fmt/format.h>

namespace carrel::server {
namespace {

std::string full_name(const deployment::Scope& scope, std::string_view domain) {
  std::string name = scope.app.str();
  std::string_view path = scope.tenant.str();
  while (!path.empty()) {
    const auto slash = path.rfind('/');
    const auto part = slash == std::string_view::npos ? path : path.substr(slash + 1);
    name += fmt::format(".{}", part);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  }
  return fmt::format("{}.{}", name, domain);
}

}  // namespace

std::vector<std::string> hosts_of_app(const deployment::Scope& scope, std::string_view domain) {
  std::vector<std::string> hosts;
  if (scope.app.str() == scope.tenant.str())
    hosts.push_back(fmt::format("{}.{}", scope.app.str(), domain));
  hosts.push_back(full_name(scope, domain));
  return hosts;
}

std::string host_of_version(const deployment::Scope& scope, std::uint64_t version,
                            std::string_view domain) {
  return fmt::format("{}--{}", version, full_name(scope, domain));
}

}  // namespace carrel::server
