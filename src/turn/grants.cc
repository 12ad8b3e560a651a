#include "turn/grants.h"

#include <algorithm>
#include <string_view>

namespace carrel::turn {

bool Grants::gated() const {
  const auto writes = [](const std::vector<StoreGrant>& grants) {
    return std::ranges::any_of(grants, &StoreGrant::write);
  };
  return writes(kv) || writes(counters) || writes(blobs);
}

bool Grants::any() const {
  return !kv.empty() || !counters.empty() || !blobs.empty() || !http.empty() || !secrets.empty();
}

namespace {

bool within(const StoreGrant& inner, const std::vector<StoreGrant>& outer) {
  return std::ranges::any_of(outer, [&](const StoreGrant& each) {
    return each.store == inner.store && (each.read || !inner.read) && (each.write || !inner.write);
  });
}

// "*.example.com" has every name below it, other wildcards included, and not itself.
bool has_host(std::string_view outer, std::string_view inner) {
  if (outer == inner) return true;
  return outer.starts_with("*.") && inner.size() >= outer.size() &&
         inner.ends_with(outer.substr(1));
}

bool within(const HttpGrant& inner, const std::vector<HttpGrant>& outer) {
  return std::ranges::any_of(outer, [&](const HttpGrant& each) {
    if (each.scheme != inner.scheme || each.port != inner.port) return false;
    if (!has_host(each.host, inner.host)) return false;
    if (each.methods.empty()) return true;
    return !inner.methods.empty() && std::ranges::all_of(inner.methods, [&](const auto& method) {
      return std::ranges::find(each.methods, method) != each.methods.end();
    });
  });
}

bool within(const std::string& inner, const std::vector<std::string>& outer) {
  return std::ranges::find(outer, inner) != outer.end();
}

template <typename Grant>
bool all_within(const std::vector<Grant>& inner, const std::vector<Grant>& outer) {
  return std::ranges::all_of(inner, [&](const Grant& each) { return within(each, outer); });
}

}  // namespace

bool within(const Grants& inner, const Grants& outer) {
  return all_within(inner.kv, outer.kv) && all_within(inner.counters, outer.counters) &&
         all_within(inner.blobs, outer.blobs) && all_within(inner.http, outer.http) &&
         all_within(inner.secrets, outer.secrets);
}

}  // namespace carrel::turn
