// The router: from a request's method and path to the function or the static folder that answers
// it.
//
// Paths are compared segment by segment after percent-decoding, so "/a%62" is "/ab", while "/a%2Fb"
// is one segment and never two. A path with a bad escape, NUL, or a segment that decodes to "." or
// ".." is refused.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "app/manifest.h"
#include "turn/event.h"

namespace carrel::function {

struct RouteEntry {
  app::Route route;
  std::size_t target;  // the caller's own number
};

// A manifest's routes: targets below functions.size() are functions, the others are statics.
std::vector<RouteEntry> routes_of(const app::Manifest& manifest);

struct RouteMatch {
  enum class Kind : std::uint8_t { found, not_found, method_not_allowed, bad_request, health };
  Kind kind = Kind::not_found;
  std::size_t target = 0;
  // For method_not_allowed: the Allow header, with HEAD beside GET, and OPTIONS.
  std::string allow;
};

// Immutable. Thread-safe; one a deployment. What a request looks at lies together: of thousands of
// apps, no cache holds any.
//
// carrel's rules: at each segment exact beats parameter beats rest; a route for the method beats
// one for any; HEAD is answered by GET's route unless it has its own. A path that only other
// methods' routes fit is method_not_allowed. wagi's rules: the first route in order, whatever the
// method; "/healthz" before all.
class Router {
 public:
  Router() : Router(app::RouteRules::carrel, {}) {}  // without routes
  Router(app::RouteRules rules, std::vector<RouteEntry> routes);
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  // Fills `target` if found: its views are into `path` and this router. `path` is as sent, without
  // query.
  RouteMatch match(std::string_view method, std::string_view path, turn::HttpTarget& target) const;

 private:
  struct Node;
  struct Search;
  struct Draft;
  RouteMatch match_wagi(std::string_view path, turn::HttpTarget& target) const;

  app::RouteRules rules_;
  const Node* root_ = nullptr;  // of a tree by segments; null: wagi's rules
  std::unique_ptr<std::pmr::monotonic_buffer_resource> tree_;
  std::vector<RouteEntry> routes_;
};

// The rest of a path as a relative path that is safe below a folder: decoded, no empty, "." or ".."
// segments, no encoded slash, backslash or NUL. One '/' at the end is kept. Errors: not_found, for
// there is no such file.
Result<std::string> safe_relative_path(std::string_view raw_rest);

}  // namespace carrel::function
