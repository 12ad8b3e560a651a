#include "capability/http/redirect.h"

#include <algorithm>
#include <array>

namespace carrel::capability::http {
namespace {

// What another host may be told.
constexpr std::array<std::string_view, 8> kHarmless = {
    "accept",       "accept-encoding",  "accept-language", "content-encoding",
    "content-type", "content-language", "idempotency-key", "user-agent"};

bool is_harmless(std::string_view name) {
  return std::ranges::any_of(kHarmless, [&](auto one) { return net::same_name(one, name); });
}

bool is_about_the_body(std::string_view name) {
  constexpr std::string_view kPrefix = "content-";
  return net::same_name(name.substr(0, kPrefix.size()), kPrefix);
}

bool same_origin(const net::Url& a, const net::Url& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

bool has_scheme(std::string_view reference) {
  const auto end = reference.find_first_of(":/?");
  return end != std::string_view::npos && reference[end] == ':';
}

// RFC 3986, 5.2, but for dot segments, which are the server's to take.
Result<net::Url> resolve(const net::Url& base, std::string_view reference) {
  reference = reference.substr(0, reference.find('#'));
  if (has_scheme(reference)) return net::parse_url(reference);
  if (reference.starts_with("//"))
    return net::parse_url(base.scheme + ":" + std::string(reference));
  const std::string_view path = std::string_view(base.target).substr(0, base.target.find('?'));
  std::string target;
  if (reference.empty()) {
    target = base.target;
  } else if (reference.starts_with('?')) {
    target = path;
  } else if (!reference.starts_with('/')) {
    target = path.substr(0, path.rfind('/') + 1);
  }
  target += reference;
  return net::parse_url(base.scheme + "://" + base.authority() + target);
}

bool becomes_get(int status, std::string_view method) {
  if (status == 303) return method != "HEAD";
  return (status == 301 || status == 302) && method == "POST";
}

}  // namespace

std::optional<std::string> redirect_of(const net::ReplyHead& head) {
  constexpr std::array<int, 5> kRedirects = {301, 302, 303, 307, 308};
  if (std::ranges::find(kRedirects, head.status) == kRedirects.end()) return std::nullopt;
  for (const auto& [name, value] : head.headers) {
    if (net::same_name(name, "location")) return value;
  }
  return std::nullopt;
}

Result<net::OutgoingRequest> follow(const net::OutgoingRequest& made, int status,
                                    std::string_view location) {
  net::OutgoingRequest next;
  CARREL_TRY(next.url, resolve(made.url, location));
  const bool get = becomes_get(status, made.method);
  const bool same = same_origin(made.url, next.url);
  next.method = get ? "GET" : made.method;
  next.takes_trailers = made.takes_trailers;
  if (!get && made.stream) {
    return fail(Code::invalid_argument, "the body was sent as it was written, and is gone",
                "call what it leads to");
  }
  if (!get) next.body = made.body;
  if (!get && same) next.trailers = made.trailers;
  for (const auto& header : made.headers) {
    if (get && is_about_the_body(header.first)) continue;
    if (same || is_harmless(header.first)) next.headers.push_back(header);
  }
  return next;
}

}  // namespace carrel::capability::http
