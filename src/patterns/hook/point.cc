#include "patterns/hook/point.h"

#include <algorithm>

#include "net/authority.h"

namespace carrel::hook {

std::shared_ptr<const App> Apps::find(std::string_view host) const {
  host = net::split_authority(host).host;
  std::shared_ptr<const App> otherwise;
  for (const auto& app : all) {
    if (app->hosts.empty() && !otherwise) otherwise = app;
    if (std::ranges::any_of(
            app->hosts, [host](const std::string& name) { return net::same_name(name, host); })) {
      return app;
    }
  }
  return otherwise;
}

}  // namespace carrel::hook
