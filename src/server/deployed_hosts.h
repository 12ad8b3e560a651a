// Which host names lead to a deployed app: "shop.merchant-17.acme.localhost", the tenant's path
// from its end. An app in the root tenant of its own name is "shop.localhost" as well. A version
// alone is "7--shop.merchant-17.acme.localhost".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/deployment/records.h"

namespace carrel::server {

// The first is for people.
std::vector<std::string> hosts_of_app(const deployment::Scope& scope, std::string_view domain);
std::string host_of_version(const deployment::Scope& scope, std::uint64_t version,
                            std::string_view domain);

}  // namespace carrel::server
