#include "store/key.h"

#include <fmt/format.h>

namespace carrel::store {
namespace {

void append(std::string& out, std::string_view sized) {
  out += static_cast<char>(sized.size());
  out += sized;
}

// Takes a text with its size before it off the front.
std::optional<std::string_view> take(std::string_view& bytes) {
  if (bytes.empty()) return {};
  const auto size = static_cast<std::uint8_t>(bytes.front());
  if (bytes.size() - 1 < size) return {};
  const auto text = bytes.substr(1, size);
  bytes.remove_prefix(1U + size);
  return text;
}

}  // namespace

std::string prefix_of(std::string_view tenant) {
  std::string out(1, static_cast<char>(kKeyFormat));
  append(out, tenant);
  return out;
}

std::string prefix_of(std::string_view tenant, Kind kind) {
  return prefix_of(tenant) + static_cast<char>(kind);
}

std::string prefix_of(std::string_view tenant, Kind kind, std::string_view store) {
  std::string out = prefix_of(tenant, kind);
  append(out, store);
  return out;
}

std::string encode(const Key& key) {
  std::string out;
  out.reserve(4 + key.tenant.size() + key.store.size() + key.name.size());
  out += static_cast<char>(kKeyFormat);
  append(out, key.tenant);
  out += static_cast<char>(key.kind);
  append(out, key.store);
  out += key.name;
  return out;
}

std::optional<Key> decode(std::string_view bytes) {
  if (!bytes.starts_with(static_cast<char>(kKeyFormat))) return {};
  bytes.remove_prefix(1);
  const auto tenant = take(bytes);
  if (!tenant || bytes.empty()) return {};
  const auto kind = static_cast<Kind>(bytes.front());
  bytes.remove_prefix(1);
  const auto store = take(bytes);
  if (!store) return {};
  return Key{.tenant = *tenant, .kind = kind, .store = *store, .name = bytes};
}

std::string end_of(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

Result<void> check_name(std::string_view name) {
  if (name.empty()) return fail(Code::invalid_argument, "a name is empty");
  if (name.size() > kMaxName) {
    return fail(Code::invalid_argument,
                fmt::format("a name has {} bytes; at most {} are kept", name.size(), kMaxName));
  }
  return {};
}

}  // namespace carrel::store
