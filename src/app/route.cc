#include "app/route.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/problems.h"
#include "app/units.h"
#include "base/hex.h"

namespace carrel::app {
namespace {

// CONNECT and TRACE have no place here: the one is a proxy's, the other echoes credentials.
constexpr std::array<std::string_view, 8> kMethods{"GET",   "HEAD",   "POST",    "PUT",
                                                   "PATCH", "DELETE", "OPTIONS", "QUERY"};

Error bad(std::string what) { return Error(Code::invalid_config, std::move(what)); }

Result<void> read_methods(std::string_view list, Route& route) {
  while (true) {
    const auto comma = list.find(',');
    const std::string_view method = list.substr(0, comma);
    if (std::ranges::find(kMethods, method) == kMethods.end()) {
      std::string upper(method);
      std::ranges::transform(upper, upper.begin(),
                             [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
      return std::unexpected(
          bad(fmt::format("unknown method {}{}", in_quotes(method), suggestion(upper, kMethods))));
    }
    if (std::ranges::find(route.methods, method) != route.methods.end()) {
      return std::unexpected(bad(fmt::format("the method {} is listed twice", method)));
    }
    route.methods.emplace_back(method);
    if (comma == std::string_view::npos) return {};
    list.remove_prefix(comma + 1);
  }
}

Result<Segment> read_segment(std::string_view text, const Route& route, RouteRules rules) {
  if (rules == RouteRules::carrel && text == "*") return Segment{Segment::Kind::rest, {}};
  if (rules == RouteRules::wagi && text == "...") return Segment{Segment::Kind::rest, {}};
  if (rules == RouteRules::carrel && text.starts_with(':')) {
    const std::string_view name = text.substr(1);
    if (!is_variable(name)) {
      return std::unexpected(bad(fmt::format(
          "{} is no parameter; write ':' and a name of letters, digits and '_'", in_quotes(text))));
    }
    for (const Segment& other : route.segments) {
      if (other.kind == Segment::Kind::parameter && other.text == name) {
        return std::unexpected(bad(fmt::format("the parameter :{} is there twice", name)));
      }
    }
    return Segment{Segment::Kind::parameter, std::string(name)};
  }
  if (rules == RouteRules::carrel && (text.find('*') != std::string_view::npos || text == "...")) {
    return std::unexpected(
        bad(fmt::format("{} is no segment; for a prefix write /*", in_quotes(text))));
  }
  Segment segment{Segment::Kind::exact, {}};
  if (!percent_decode(text, segment.text)) {
    return std::unexpected(bad(fmt::format("{} has a bad percent escape", in_quotes(text))));
  }
  if (segment.text == "." || segment.text == "..") {
    return std::unexpected(bad("'.' and '..' cannot be segments of a route"));
  }
  return segment;
}

Result<void> read_path(std::string_view path, RouteRules rules, Route& route) {
  if (!path.starts_with('/')) {
    return std::unexpected(bad(fmt::format("the path {} must begin with '/'", in_quotes(path))));
  }
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '\\' || static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) {
      return std::unexpected(bad(
          fmt::format("the path {} contains {}; a route has no query, spaces or control characters",
                      in_quotes(path), in_quotes(std::string_view(&c, 1)))));
    }
  }
  std::string_view rest = path.substr(1);
  while (true) {
    const auto slash = rest.find('/');
    const bool last = slash == std::string_view::npos;
    const std::string_view text = rest.substr(0, slash);
    if (text.empty() && !last) {
      return std::unexpected(bad(fmt::format("the path {} contains \"//\"", in_quotes(path))));
    }
    CARREL_TRY(Segment segment, read_segment(text, route, rules));
    if (segment.kind == Segment::Kind::rest && !last) {
      return std::unexpected(
          bad(fmt::format("{} can only be the end of a route", in_quotes(text))));
    }
    if (route.segments.size() == kMaxSegments) {
      return std::unexpected(bad(fmt::format("a route has at most {} segments", kMaxSegments)));
    }
    route.segments.push_back(std::move(segment));
    if (last) return {};
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace

bool Route::same_path(const Route& other) const {
  return std::ranges::equal(segments, other.segments, [](const Segment& a, const Segment& b) {
    return a.kind == b.kind && (a.kind != Segment::Kind::exact || a.text == b.text);
  });
}

Result<Route> parse_route(std::string_view text, RouteRules rules) {
  if (text.size() > kMaxRouteBytes) {
    return std::unexpected(bad(fmt::format("a route has at most {} bytes", kMaxRouteBytes)));
  }
  Route route;
  std::string_view path = text;
  if (rules == RouteRules::carrel && !text.starts_with('/')) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) {
      return std::unexpected(
          bad(fmt::format("{} is no route; write \"/path\" or \"GET /path\"", in_quotes(text))));
    }
    CARREL_TRY_VOID(read_methods(text.substr(0, space), route));
    path = text.substr(std::min(text.find_first_not_of(' ', space), text.size()));
  }
  CARREL_TRY_VOID(read_path(path, rules, route));
  route.text = path;
  return route;
}

bool percent_decode(std::string_view text, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return false;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return false;
    out += c;
  }
  return true;
}

}  // namespace carrel::app
