#include "tenant/quotas.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

namespace carrel::tenant {
namespace {

using Json = nlohmann::json;

struct Entry {
  std::string_view name;
  std::optional<std::uint64_t> Quotas::* field;
  std::uint64_t most;
};

constexpr std::array<Entry, 1> kEntries = {{
    {"storage_bytes", &Quotas::storage_bytes, 1ULL << 50},
}};

const Entry* find(std::string_view name) {
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

std::string known() {
  std::vector<std::string_view> names;
  names.reserve(kEntries.size());
  for (const Entry& entry : kEntries) names.push_back(entry.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Json to_json(const Quotas& quotas) {
  Json json = Json::object();
  for (const Entry& entry : kEntries) {
    if (const auto& value = quotas.*entry.field) json[std::string(entry.name)] = *value;
  }
  return json;
}

Result<void> merge(const Json& json, Quotas& into) {
  if (!json.is_object()) return fail(Code::invalid_argument, "quotas are an object");
  Quotas merged = into;
  for (const auto& [name, value] : json.items()) {
    const Entry* const entry = find(name);
    if (entry == nullptr) {
      return fail(Code::invalid_argument,
                  fmt::format("there is no quota of that name; there are {}", known()));
    }
    if (value.is_null()) {
      merged.*entry->field = {};
    } else if (value.is_number_unsigned() && value.get<std::uint64_t>() <= entry->most) {
      merged.*entry->field = value.get<std::uint64_t>();
    } else {
      return fail(Code::invalid_argument, fmt::format("{} is a whole number from 0 to {}, or null",
                                                      entry->name, entry->most));
    }
  }
  into = merged;
  return {};
}

}  // namespace carrel::tenant
