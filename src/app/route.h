// Routes as they are written: "GET /price/:sku", "GET,HEAD /files/*", and wagi's "/x" and "/x/...".
//
// A pattern is checked and cut into segments here, once; patterns/function/router.h matches them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace carrel::app {

// Which rules a manifest's routes follow.
//   carrel: ":name" is one segment, "*" at the end is the rest; the most exact route wins.
//   wagi:   "/x" is that path alone, "/x/..." it and all below; the first that fits wins, in file
//   order.
enum class RouteRules : std::uint8_t { carrel, wagi };

struct Segment {
  enum class Kind : std::uint8_t { exact, parameter, rest };
  Kind kind;
  std::string text;  // exact: decoded; parameter: its name
  bool operator==(const Segment&) const = default;
};

// Value type.
struct Route {
  std::string text;                  // the path as written, without methods
  std::vector<std::string> methods;  // none: any
  std::vector<Segment> segments;     // "/" is one empty exact segment

  // True if every request for one may be a request for the other: the same but for parameters'
  // names.
  bool same_path(const Route& other) const;
};

// Bounds that the router counts on.
inline constexpr std::size_t kMaxSegments = 32;
inline constexpr std::size_t kMaxRouteBytes = 1024;

// Errors: invalid_config, with what is wrong and what to write instead in one line.
Result<Route> parse_route(std::string_view text, RouteRules rules);

// Percent-decodes into `out`. False for an incomplete escape and for NUL.
bool percent_decode(std::string_view text, std::string& out);

}  // namespace carrel::app
