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
  std::uint64_t least, most;
};

constexpr std::uint64_t kMostBytes = 1ULL << 50;
constexpr std::uint64_t kMostCount = 1'000'000'000;
constexpr std::uint64_t kMostWeight = 1000;

constexpr auto kEntries = std::to_array<Entry>({
    {"storage_bytes", &Quotas::storage_bytes, 0, kMostBytes},
    {"turns_per_second", &Quotas::turns_per_second, 0, kMostCount},
    {"concurrent_turns", &Quotas::concurrent_turns, 0, kMostCount},
    {"cpu_ms_per_second", &Quotas::cpu_ms_per_second, 0, kMostCount},
    {"memory_bytes", &Quotas::memory_bytes, 0, kMostBytes},
    {"calls_per_second", &Quotas::calls_per_second, 0, kMostCount},
    {"concurrent_calls", &Quotas::concurrent_calls, 0, kMostCount},
    {"log_bytes_per_second", &Quotas::log_bytes_per_second, 0, kMostBytes},
    {"weight", &Quotas::weight, 1, kMostWeight},
});

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
    } else if (const auto number =
                   value.is_number_unsigned() ? value.get<std::uint64_t>() : UINT64_MAX;
               number >= entry->least && number <= entry->most) {
      merged.*entry->field = number;
    } else {
      return fail(Code::invalid_argument, fmt::format("{} is a whole number from {} to {}, or null",
                                                      entry->name, entry->least, entry->most));
    }
  }
  into = merged;
  return {};
}

}  // namespace carrel::tenant
