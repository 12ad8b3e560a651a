// Any bytes as a request's path, against routes of every kind: what is found lies within the path,
// and no rest of it leaves a folder.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "patterns/function/conditions.h"
#include "patterns/function/router.h"

namespace {

using carrel::app::RouteRules;
using carrel::function::Router;

Router make(RouteRules rules, std::initializer_list<const char*> routes) {
  std::vector<carrel::function::RouteEntry> entries;
  for (const char* text : routes)
    entries.push_back({*carrel::app::parse_route(text, rules), entries.size()});
  return Router(rules, std::move(entries));
}

void require(bool holds) {
  if (!holds) std::abort();
}

void check_path(const Router& router, std::string_view path) {
  carrel::turn::HttpTarget target;
  const auto match = router.match("GET", path, target);
  if (match.kind != carrel::function::RouteMatch::Kind::found) return;
  require(target.script_name.size() + target.raw_path_info.size() == path.size());
  require(target.script_name.data() == path.data());
  require(target.path_info.find('\0') == std::string::npos);
}

void check_relative(std::string_view rest) {
  const auto path = carrel::function::safe_relative_path(rest);
  if (!path) return;
  require(!path->starts_with('/') && *path != "..");
  require(("/" + *path + "/").find("/../") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Router carrel_routes =
      make(RouteRules::carrel,
           {"/", "/a", "/a/:x", "POST /a/b", "/a/:x/c", "/a/b/*", "/:x/:y/:z/*", "/%20/a", "/*"});
  static const Router wagi_routes = make(RouteRules::wagi, {"/a/...", "/a/b", "/"});
  const std::string_view path(reinterpret_cast<const char*>(data), size);
  check_path(carrel_routes, path);
  check_path(wagi_routes, path);
  check_relative(path);
  const auto answer = carrel::function::range_of(path, 1000);
  require(answer.range.first <= 1000 && answer.range.length <= 1000 - answer.range.first);
  carrel::function::none_match_names(path, "\"a\"");
  return 0;
}
