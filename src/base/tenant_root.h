// The tenant at the top of a tenant's path, with which it shares what a node has for each: "acme"
// of "acme/merchant-17".
#pragma once

#include <string_view>

namespace carrel {

constexpr std::string_view root_of(std::string_view tenant) {
  return tenant.substr(0, tenant.find('/'));
}

}  // namespace carrel
