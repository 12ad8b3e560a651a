#include "patterns/function/site.h"

#include <algorithm>

#include "net/authority.h"

namespace carrel::function {

const Site* Sites::find(std::string_view host) const {
  host = net::split_authority(host).host;
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
