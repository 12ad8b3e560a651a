#include "patterns/function/router.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace carrel::function {
namespace {

using app::RouteRules;
using app::Segment;

constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::size_t kCut = app::kMaxSegments + 1;  // one more than a route has

// A path cut at its slashes, without copying. Segments after the last that a route can name stay
// together.
struct Cut {
  std::array<std::string_view, kCut> raw;
  std::array<std::size_t, kCut> begin;  // of the segment's slash in the path
  std::size_t count = 0;
  std::vector<std::string> decoded;  // only of segments with escapes
  std::array<std::string_view, kCut> text;
};

bool is_dots(std::string_view segment) { return segment == "." || segment == ".."; }

// False for what is refused. `scratch` keeps a decoded segment.
bool check_segment(std::string_view raw, std::string& scratch, std::string_view& text) {
  text = raw;
  if (raw.find('%') != std::string_view::npos) {
    if (!app::percent_decode(raw, scratch)) return false;
    text = scratch;
  }
  return !is_dots(text) && text.find('\0') == std::string_view::npos;
}

bool cut_path(std::string_view path, Cut& cut) {
  if (!path.starts_with('/')) return false;
  const auto escaped = static_cast<std::size_t>(std::ranges::count(path, '%'));
  if (escaped > 0) cut.decoded.reserve(std::min(escaped, kCut));  // views into it must stay valid
  std::string scratch;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string_view raw = path.substr(at + 1, end - at - 1);
    std::string_view text;
    if (!check_segment(raw, scratch, text)) return false;
    if (cut.count < kCut) {
      if (text.data() == scratch.data()) text = cut.decoded.emplace_back(std::move(scratch));
      cut.raw[cut.count] = raw;
      cut.text[cut.count] = text;
      cut.begin[cut.count] = at;
    }
    ++cut.count;
    at = end;
  }
  return true;
}

// The rest of the path from segment `from` on, and what named the function before it.
void fill_target(const app::Route& route, std::string_view path, const Cut& cut, std::size_t from,
                 turn::HttpTarget& target) {
  const std::size_t split = from < std::min(cut.count, kCut) ? cut.begin[from] : path.size();
  target.route = route.text;
  target.script_name = path.substr(0, split);
  target.raw_path_info = path.substr(split);
  target.parameters.clear();
  if (target.raw_path_info.find('%') == std::string_view::npos) {
    target.path_info = target.raw_path_info;
  } else {
    app::percent_decode(target.raw_path_info, target.path_info);
  }
}

}  // namespace

struct Router::Node {
  std::map<std::string, std::uint32_t, std::less<>> exact;
  std::uint32_t parameter = kNone;
  std::vector<std::uint32_t> ends;   // routes that end here
  std::vector<std::uint32_t> rests;  // routes whose rest begins here
};

// One descent. Each node is visited at most once, so the work is bounded by the routes, not by the
// path.
struct Router::Search {
  const Router& router;
  std::string_view method;
  const Cut& cut;
  const RouteEntry* found = nullptr;
  std::size_t rest_from = 0;
  std::vector<const RouteEntry*> others;  // fit the path, not the method

  bool down(std::uint32_t index, std::size_t depth) {
    const Node& node = router.nodes_[index];
    if (depth == cut.count) return take(node.ends, depth);
    if (depth >= kCut) return false;
    if (const auto next = node.exact.find(cut.text[depth]); next != node.exact.end()) {
      if (down(next->second, depth + 1)) return true;
    }
    // A parameter is never empty: "/price/" has no sku.
    if (node.parameter != kNone && !cut.text[depth].empty() && down(node.parameter, depth + 1))
      return true;
    return take(node.rests, depth);
  }

  bool take(const std::vector<std::uint32_t>& routes, std::size_t depth) {
    const RouteEntry* best = nullptr;
    int best_rank = 0;
    for (const std::uint32_t index : routes) {
      const RouteEntry& entry = router.routes_[index];
      const int rank = rank_of(entry.route);
      if (rank == 0) others.push_back(&entry);
      if (rank > best_rank) {
        best = &entry;
        best_rank = rank;
      }
    }
    if (best == nullptr) return false;
    found = best;
    rest_from = depth;
    return true;
  }

  int rank_of(const app::Route& route) const {
    if (route.methods.empty()) return 1;
    const auto has = [&](std::string_view name) {
      return std::ranges::find(route.methods, name) != route.methods.end();
    };
    if (has(method)) return 3;
    return method == "HEAD" && has("GET") ? 2 : 0;
  }

  std::string allow() const {
    std::set<std::string_view> methods{"OPTIONS"};
    for (const RouteEntry* entry : others)
      methods.insert(entry->route.methods.begin(), entry->route.methods.end());
    if (methods.contains("GET")) methods.insert("HEAD");
    std::string list;
    for (const std::string_view name : methods) {
      if (!list.empty()) list += ", ";
      list += name;
    }
    return list;
  }
};

std::vector<RouteEntry> routes_of(const app::Manifest& manifest) {
  std::vector<RouteEntry> routes;
  routes.reserve(manifest.functions.size() + manifest.statics.size());
  for (const auto& function : manifest.functions) routes.push_back({function.route, routes.size()});
  for (const auto& folder : manifest.statics) routes.push_back({folder.route, routes.size()});
  return routes;
}

Router::Router(app::RouteRules rules, std::vector<RouteEntry> routes)
    : rules_(rules), routes_(std::move(routes)) {
  nodes_.emplace_back();
  if (rules_ == RouteRules::wagi) return;
  for (std::size_t i = 0; i < routes_.size(); ++i) insert(i);
}

Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::insert(std::size_t index) {
  std::uint32_t at = 0;
  for (const Segment& segment : routes_[index].route.segments) {
    if (segment.kind == Segment::Kind::rest) {
      nodes_[at].rests.push_back(static_cast<std::uint32_t>(index));
      return;
    }
    std::uint32_t& slot = segment.kind == Segment::Kind::parameter
                              ? nodes_[at].parameter
                              : nodes_[at].exact.try_emplace(segment.text, kNone).first->second;
    if (slot == kNone) slot = static_cast<std::uint32_t>(nodes_.size());
    at = slot;
    if (at == nodes_.size()) nodes_.emplace_back();  // `slot` dangles from here on
  }
  nodes_[at].ends.push_back(static_cast<std::uint32_t>(index));
}

RouteMatch Router::match(std::string_view method, std::string_view path,
                         turn::HttpTarget& target) const {
  if (rules_ == RouteRules::wagi) return match_wagi(path, target);
  Cut cut;
  if (!cut_path(path, cut)) return {.kind = RouteMatch::Kind::bad_request};
  Search search{.router = *this, .method = method, .cut = cut};
  if (!search.down(0, 0)) {
    if (search.others.empty()) return {};
    return {.kind = RouteMatch::Kind::method_not_allowed, .allow = search.allow()};
  }
  const app::Route& route = search.found->route;
  const bool has_rest = route.segments.back().kind == Segment::Kind::rest;
  fill_target(route, path, cut, has_rest ? search.rest_from : kCut, target);
  for (std::size_t i = 0; i < route.segments.size(); ++i) {
    if (route.segments[i].kind != Segment::Kind::parameter) continue;
    target.parameters.emplace_back(route.segments[i].text, cut.text[i]);
  }
  return {.kind = RouteMatch::Kind::found, .target = search.found->target};
}

RouteMatch Router::match_wagi(std::string_view path, turn::HttpTarget& target) const {
  if (path == "/healthz") return {.kind = RouteMatch::Kind::health};
  Cut cut;
  if (!cut_path(path, cut)) return {.kind = RouteMatch::Kind::bad_request};
  for (const RouteEntry& entry : routes_) {
    const auto& segments = entry.route.segments;
    const bool prefix = segments.back().kind == Segment::Kind::rest;
    const std::size_t named = segments.size() - (prefix ? 1 : 0);
    if (prefix ? cut.count < named : cut.count != named) continue;
    bool fits = true;
    for (std::size_t i = 0; i < named && fits; ++i) fits = segments[i].text == cut.text[i];
    if (!fits) continue;
    fill_target(entry.route, path, cut, named, target);
    return {.kind = RouteMatch::Kind::found, .target = entry.target};
  }
  return {};
}

Result<std::string> safe_relative_path(std::string_view raw_rest) {
  const auto refused = std::unexpected(Error(Code::not_found));
  if (raw_rest.starts_with('/')) raw_rest.remove_prefix(1);
  std::string path, segment;
  while (!raw_rest.empty()) {
    const std::size_t end = std::min(raw_rest.find('/'), raw_rest.size());
    if (!app::percent_decode(raw_rest.substr(0, end), segment)) return refused;
    if (segment.empty() || is_dots(segment)) return refused;
    if (segment.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos) return refused;
    path += segment;
    if (end == raw_rest.size()) break;
    path += '/';
    raw_rest.remove_prefix(end + 1);
  }
  return path;
}

}  // namespace carrel::function
