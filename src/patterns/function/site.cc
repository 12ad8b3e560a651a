#include "patterns/function/site.h"

#include <algorithm>

#include "net/authority.h"

namespace carrel::function {

const Site* Sites::find(const net::Request& request, std::uint64_t id) const {
  const std::string_view host = net::split_authority(request.host).host;
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
  if (const Shares* shares = deployed.find(host)) return shares->of(request, id);
  return otherwise;
}

}  // namespace carrel::function
