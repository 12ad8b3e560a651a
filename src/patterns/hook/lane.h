// The lane of a binding's deliveries: "hook:TENANT:APP:POINT:BINDING". No part of it has a ':'.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"

namespace carrel::hook {

struct Lane {
  TenantName tenant;  // the app's
  AppName app;
  std::string point, binding;
};

// Without a binding, what all lanes of the point begin with.
std::string lane_text(const Lane& lane);
// What all lanes of a tenant's apps, or of one app, begin with, and no others.
std::string lanes_of(const TenantName& tenant);
std::string lanes_of(const TenantName& tenant, const AppName& app);
std::optional<Lane> parse_lane(std::string_view text);  // nothing: it is another pattern's

}  // namespace carrel::hook
