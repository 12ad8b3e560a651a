#include <algorithm>
#include <array>
#include <optional>

#include "api/operation.h"

namespace carrel::api {
namespace {

using Parameters = std::vector<Parameter>;

// A colon in a name is sent encoded: as it is, it begins an action on what is named.
bool match_part(std::string_view pattern, std::string_view part, Parameters& parameters) {
  if (!pattern.starts_with('{')) return pattern == part;
  const auto end = pattern.find('}');
  const auto action = pattern.substr(end + 1);
  if (!part.ends_with(action)) return false;
  part.remove_suffix(action.size());
  if (part.empty() || part.contains(':')) return false;
  parameters.push_back({pattern.substr(1, end - 1), part});
  return true;
}

std::optional<Parameters> match_path(std::string_view pattern, std::string_view path) {
  Parameters parameters;
  if (!pattern.starts_with('/') || !path.starts_with('/')) return {};
  for (;;) {
    // Both begin with the slash before their next part.
    pattern.remove_prefix(1);
    path.remove_prefix(1);
    if (pattern.ends_with("...}") && !pattern.contains('/')) {
      parameters.push_back({pattern.substr(1, pattern.size() - 5), path});
      return parameters;
    }
    const auto wanted = pattern.substr(0, pattern.find('/'));
    const auto part = path.substr(0, path.find('/'));
    if (!match_part(wanted, part, parameters)) return {};
    pattern.remove_prefix(wanted.size());
    path.remove_prefix(part.size());
    if (pattern.empty() || path.empty()) break;
  }
  if (!pattern.empty() || !path.empty()) return {};
  return parameters;
}

}  // namespace

std::span<const Operation> all_operations() {
  static const std::vector<Operation> kAll = [] {
    std::vector<Operation> all;
    for (const auto family :
         {node_operations(), log_operations(), state_operations(), blob_operations(),
          tenant_operations(), token_operations(), audit_operations(), usage_operations(),
          app_operations(), version_operations(), host_operations(), binding_operations(),
          recording_operations()})
      all.insert(all.end(), family.begin(), family.end());
    return all;
  }();
  return kAll;
}

Match find_operation(std::span<const Operation> operations, std::string_view method,
                     std::string_view path) {
  Match match;
  for (const Operation& operation : operations) {
    auto parameters = match_path(operation.path, path);
    if (!parameters) continue;
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += operation.method;
    if (operation.method == "GET") match.allow += ", HEAD";
    if (operation.method == method || (operation.method == "GET" && method == "HEAD")) {
      match.operation = &operation;
      match.parameters = std::move(*parameters);
      return match;
    }
  }
  return match;
}

}  // namespace carrel::api
