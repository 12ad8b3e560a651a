#include "capability/http/grant.h"

#include <algorithm>

#include "net/egress_policy.h"

namespace carrel::capability::http {
namespace {

bool covers_host(std::string_view granted, std::string_view host) {
  if (!granted.starts_with("*.")) return granted == host;
  const std::string_view suffix = granted.substr(1);  // with its dot
  return host.size() > suffix.size() && host.ends_with(suffix) && !net::parse_ip(host);
}

bool covers_method(const turn::HttpGrant& grant, std::string_view method) {
  if (grant.methods.empty()) return method != "CONNECT" && method != "TRACE";
  return std::ranges::find(grant.methods, method) != grant.methods.end();
}

}  // namespace

bool permits(const std::vector<turn::HttpGrant>& grants, std::string_view method,
             const net::Url& url) {
  return std::ranges::any_of(grants, [&](const turn::HttpGrant& grant) {
    return grant.scheme == url.scheme && grant.port == url.port &&
           covers_host(grant.host, url.host) && covers_method(grant, method);
  });
}

}  // namespace carrel::capability::http
