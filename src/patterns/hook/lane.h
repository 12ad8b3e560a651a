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
std::optional<Lane> parse_lane(std::string_view text);  // nothing: it is another pattern's

}  // namespace carrel::hook
