#include "cli/server_url.h"

#include <fmt/format.h>

#include "net/egress_policy.h"
#include "net/url.h"

namespace carrel::cli {
namespace {

bool is_this_machine(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  const auto address = net::parse_ip(host);
  if (!address) return false;
  return address->v6 ? *address == *net::parse_ip("::1") : address->bytes[0] == 127;
}

}  // namespace

Result<void> check_server_url(std::string_view text) {
  auto url = net::parse_url(text);
  if (!url) return std::unexpected(std::move(url).error().within("the server's URL"));
  if (url->scheme == "https" || is_this_machine(url->host)) return {};
  return fail(Code::invalid_argument,
              fmt::format("{} would be told its token in clear text, for all on the way to read",
                          url->authority()),
              fmt::format("name it with https://, or reach it through a tunnel: `ssh -L "
                          "3001:127.0.0.1:{} {}`, then --server http://127.0.0.1:3001",
                          url->port, url->host));
}

}  // namespace carrel::cli
