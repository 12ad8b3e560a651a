#include "patterns/function/router.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>

#include "base/prefetch.h"

namespace carrel::function {
namespace {

using app::RouteRules;
using app::Segment;

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
void fill_target(std::string_view route, std::string_view path, const Cut& cut, std::size_t from,
                 turn::HttpTarget& target) {
  const std::size_t split = from < std::min(cut.count, kCut) ? cut.begin[from] : path.size();
  target.route = route;
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
  struct Child {
    std::string_view text;
    const Node* node;
  };
  // Of a route, what most requests need.
  struct Fit {
    std::string_view text;
    std::string_view methods;  // "GET,POST"; empty: any
    const RouteEntry* entry;
    std::size_t target;
    bool rest, named;  // whether it ends in a rest, and has parameters
  };
  std::span<const Child> exact;  // by text
  const Node* parameter = nullptr;
  std::span<const Fit> ends;   // routes that end here
  std::span<const Fit> rests;  // routes whose rest begins here
};

// One descent. Each node is visited at most once, so the work is bounded by the routes, not by the
// path.
struct Router::Search {
  std::string_view method;
  const Cut& cut;
  const Node::Fit* found = nullptr;
  std::size_t rest_from = 0;
  std::vector<const Node::Fit*> others;  // fit the path, not the method

  bool down(const Node& node, std::size_t depth) {
    if (depth == cut.count) return take(node.ends, depth);
    if (depth >= kCut) return false;
    const auto next = std::ranges::lower_bound(node.exact, cut.text[depth], {}, &Node::Child::text);
    if (next != node.exact.end() && next->text == cut.text[depth]) {
      if (down(*next->node, depth + 1)) return true;
    }
    // A parameter is never empty: "/price/" has no sku.
    if (node.parameter != nullptr && !cut.text[depth].empty() && down(*node.parameter, depth + 1))
      return true;
    return take(node.rests, depth);
  }

  bool take(std::span<const Node::Fit> fits, std::size_t depth) {
    const Node::Fit* best = nullptr;
    int best_rank = 0;
    for (const Node::Fit& fit : fits) {
      const int rank = rank_of(fit.methods);
      if (rank == 0) others.push_back(&fit);
      if (rank > best_rank) {
        best = &fit;
        best_rank = rank;
      }
    }
    if (best == nullptr) return false;
    found = best;
    rest_from = depth;
    return true;
  }

  int rank_of(std::string_view methods) const {
    if (methods.empty()) return 1;
    if (has(methods, method)) return 3;
    return method == "HEAD" && has(methods, "GET") ? 2 : 0;
  }

  static bool has(std::string_view methods, std::string_view name) {
    for (;;) {
      const std::string_view first = methods.substr(0, methods.find(','));
      if (first == name) return true;
      if (first.size() == methods.size()) return false;
      methods.remove_prefix(first.size() + 1);
    }
  }

  std::string allow() const {
    std::set<std::string_view> methods{"OPTIONS"};
    for (const Node::Fit* fit : others) {
      const auto& its = fit->entry->route.methods;
      methods.insert(its.begin(), its.end());
    }
    if (methods.contains("GET")) methods.insert("HEAD");
    std::string list;
    for (const std::string_view name : methods) {
      if (!list.empty()) list += ", ";
      list += name;
    }
    return list;
  }
};

// The tree while it grows.
struct Router::Draft {
  std::map<std::string_view, std::unique_ptr<Draft>> exact;
  std::unique_ptr<Draft> parameter;
  std::vector<const RouteEntry*> ends, rests;

  void insert(const RouteEntry& entry) {
    Draft* at = this;
    for (const Segment& segment : entry.route.segments) {
      if (segment.kind == Segment::Kind::rest) return at->rests.push_back(&entry);
      auto& next =
          segment.kind == Segment::Kind::parameter ? at->parameter : at->exact[segment.text];
      if (!next) next = std::make_unique<Draft>();
      at = next.get();
    }
    at->ends.push_back(&entry);
  }

  // Copies into `to`, each node before its children.
  const Node* settle(std::pmr::memory_resource& to) const {
    std::pmr::polymorphic_allocator<> memory(&to);
    Node* const node = memory.new_object<Node>();
    auto* const children = memory.allocate_object<Node::Child>(exact.size());
    node->ends = settle(to, ends);
    node->rests = settle(to, rests);
    Node::Child* child = children;
    for (const auto& [text, draft] : exact) {
      const std::string_view kept = settle(to, text);
      std::construct_at(child++, kept, draft->settle(to));
    }
    node->exact = {children, exact.size()};
    if (parameter) node->parameter = parameter->settle(to);
    return node;
  }

  static std::span<const Node::Fit> settle(std::pmr::memory_resource& to,
                                           const std::vector<const RouteEntry*>& entries) {
    std::pmr::polymorphic_allocator<> memory(&to);
    auto* const fits = memory.allocate_object<Node::Fit>(entries.size());
    Node::Fit* fit = fits;
    for (const RouteEntry* entry : entries) {
      const app::Route& route = entry->route;
      std::construct_at(
          fit++, settle(to, route.text),
          settle(to, fmt::format("{}", fmt::join(route.methods, ","))), entry, entry->target,
          route.segments.back().kind == Segment::Kind::rest,
          std::ranges::count(route.segments, Segment::Kind::parameter, &Segment::kind) > 0);
    }
    return {fits, entries.size()};
  }

  static std::string_view settle(std::pmr::memory_resource& to, std::string_view text) {
    char* const copy = std::pmr::polymorphic_allocator<>(&to).allocate_object<char>(text.size());
    return {copy, text.copy(copy, text.size())};
  }

  // Bytes that it takes, or some more.
  static std::size_t room_for(const std::vector<RouteEntry>& routes) {
    std::size_t bytes = sizeof(Node);
    for (const RouteEntry& entry : routes) {
      bytes += sizeof(Node::Fit) + 2 * entry.route.text.size();
      for (const std::string& method : entry.route.methods) bytes += method.size() + 1;
      bytes += entry.route.segments.size() * (sizeof(Node) + sizeof(Node::Child) + alignof(Node));
    }
    return bytes;
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
  if (rules_ == RouteRules::wagi) return;
  Draft draft;
  for (const RouteEntry& entry : routes_) draft.insert(entry);
  tree_ = std::make_unique<std::pmr::monotonic_buffer_resource>(Draft::room_for(routes_));
  root_ = draft.settle(*tree_);
}

Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

RouteMatch Router::match(std::string_view method, std::string_view path,
                         turn::HttpTarget& target) const {
  if (rules_ == RouteRules::wagi) return match_wagi(path, target);
  prefetch(root_, 4 * sizeof(Node));  // the tree of a small app
  Cut cut;
  if (!cut_path(path, cut)) return {.kind = RouteMatch::Kind::bad_request};
  Search search{.method = method, .cut = cut};
  if (!search.down(*root_, 0)) {
    if (search.others.empty()) return {};
    return {.kind = RouteMatch::Kind::method_not_allowed, .allow = search.allow()};
  }
  const Node::Fit& fit = *search.found;
  fill_target(fit.text, path, cut, fit.rest ? search.rest_from : kCut, target);
  if (fit.named) {
    const auto& segments = fit.entry->route.segments;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (segments[i].kind != Segment::Kind::parameter) continue;
      target.parameters.emplace_back(segments[i].text, cut.text[i]);
    }
  }
  return {.kind = RouteMatch::Kind::found, .target = fit.target};
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
    fill_target(entry.route.text, path, cut, named, target);
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
