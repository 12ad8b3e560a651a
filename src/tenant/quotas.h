// What a tenant may use, its children's use included. Nothing set: only its ancestors' quotas bound
// it.
//
// As JSON an object of numbers, the quotas that are set; docs/guide/tenants.md says what each is.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "base/result.h"

namespace carrel::tenant {

// Value type.
struct Quotas {
  std::optional<std::uint64_t> storage_bytes;  // names, values and blobs
  std::optional<std::uint64_t> turns_per_second, concurrent_turns;
  std::optional<std::uint64_t> cpu_ms_per_second;
  std::optional<std::uint64_t> memory_bytes;  // that turns in progress may use
  std::optional<std::uint64_t> calls_per_second, concurrent_calls;  // to the outside
  std::optional<std::uint64_t> log_bytes_per_second;
  std::optional<std::uint64_t> weight;  // no bound: its share of CPU where tenants compete

  bool operator==(const Quotas&) const = default;
};

nlohmann::json to_json(const Quotas& quotas);
// Changes what `json` names: a number sets a quota, null takes it away. Errors: invalid_argument,
// naming the key; `into` is as it was.
Result<void> merge(const nlohmann::json& json, Quotas& into);

}  // namespace carrel::tenant
