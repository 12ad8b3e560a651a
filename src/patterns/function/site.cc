#include "patterns/function/site.h"

#include <algorithm>

namespace carrel::function {
namespace {

std::string_view without_port(std::string_view host) {
  const auto colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos)
    return host;
  return host.substr(0, colon);
}

}  // namespace

const Site* Sites::find(std::string_view host) const {
  host = without_port(host);
  const Site* otherwise = nullptr;
  for (const auto& site : all) {
    if (site->hosts.empty()) {
      if (otherwise == nullptr) otherwise = site.get();
    } else if (std::ranges::any_of(site->hosts, [host](const std::string& name) {
                 return net::same_name(name, host);
               })) {
      return site.get();
    }
  }
  return otherwise;
}

}  // namespace carrel::function
