#include "api/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace carrel::api {
namespace {

constexpr std::array<std::string_view, 3> kLoopbackNames = {"localhost", "127.0.0.1", "[::1]"};
constexpr std::string_view kScheme = "Bearer ";

std::size_t count_of(const net::Request& request, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count_if(
      request.headers,
      [&](const net::Header& header) { return net::same_name(header.name, name); }));
}

}  // namespace

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end == std::string_view::npos ? host : host.substr(0, end + 1);
  }
  return host.substr(0, host.find(':'));
}

bool Guard::knows(std::string_view host) const {
  const auto same = [&](std::string_view name) { return net::same_name(name, host); };
  return std::ranges::any_of(kLoopbackNames, same) || std::ranges::any_of(host_names_, same);
}

Result<void> Guard::check_place(const net::Request& request) const {
  if (!knows(without_port(request.host))) {
    return fail(Code::permission_denied, "the API is not called by this Host",
                "use a loopback name, or allow the name with --admin-host NAME");
  }
  if (count_of(request, "origin") == 0) return {};
  const std::string own = fmt::format("{}://{}", request.scheme, request.host);
  if (count_of(request, "origin") > 1 || !net::same_name(request.header("origin"), own)) {
    return fail(Code::permission_denied, "the request comes from a page of another origin");
  }
  return {};
}

std::optional<std::string_view> bearer_of(const net::Request& request) {
  const std::string_view credentials = request.header("authorization");
  if (count_of(request, "authorization") != 1 || credentials.size() <= kScheme.size() ||
      !net::same_name(credentials.substr(0, kScheme.size()), kScheme)) {
    return {};
  }
  return credentials.substr(kScheme.size());
}

}  // namespace carrel::api
