#include "patterns/hook/lane.h"

#include <fmt/format.h>

#include <array>

namespace carrel::hook {

std::string lane_text(const Lane& lane) {
  return fmt::format("hook:{}:{}:{}:{}", lane.tenant.str(), lane.app.str(), lane.point,
                     lane.binding);
}

std::string lanes_of(const TenantName& tenant) { return fmt::format("hook:{}:", tenant.str()); }

std::string lanes_of(const TenantName& tenant, const AppName& app) {
  return fmt::format("hook:{}:{}:", tenant.str(), app.str());
}

std::optional<Lane> parse_lane(std::string_view text) {
  std::array<std::string_view, 5> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto colon = text.find(':');
    if ((colon == std::string_view::npos) != (i == parts.size() - 1)) return {};
    parts[i] = text.substr(0, colon);
    if (parts[i].empty()) return {};
    text.remove_prefix(parts[i].size() + (colon == std::string_view::npos ? 0 : 1));
  }
  if (parts[0] != "hook") return {};
  return Lane{.tenant = TenantName(std::string(parts[1])),
              .app = AppName(std::string(parts[2])),
              .point = std::string(parts[3]),
              .binding = std::string(parts[4])};
}

}  // namespace carrel::hook
