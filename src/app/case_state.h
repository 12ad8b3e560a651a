// What a test case says of state: [state] before the turn, [effects] after it.
//
//   [state]
//   kv = { "carts/ada" = "2 mugs", "carts/bob" = { text = "", expires = "2026-01-02T03:04:05Z" } }
//   counters = { "stock/mug" = 3 }
//   secrets = { RATES_KEY = "k-1" }
//   blobs = { "images/map" = { file = "map.png" }, "images/big" = { text = "x", size = 3145728 } }
//
//   [effects]
//   kv = { "images/mug" = { base64 = "AAEC" }, "images/tea" = { file = "tea.png" } }
//   absent = ["carts/bob"]
//   absent_blobs = ["images/old"]
//   counters = { "stock/mug" = 2 }
//
// "STORE/KEY": the key is what follows the first '/', as it is, without percent-encoding. Pure
// but for the files that it names; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/table_reader.h"

namespace carrel::app {

inline constexpr std::size_t kMaxCaseBlob = 64 << 20;  // bytes

struct StateName {
  std::string store, key;
  auto operator<=>(const StateName&) const = default;
};
std::string text_of(const StateName& name);  // "store/key"

struct StateValue {  // or a blob
  StateName name;
  std::string bytes;
  std::optional<WallTime> expires;  // expected: nothing is not checked
};

struct StateCount {
  StateName name;
  std::int64_t count = 0;
};

struct CaseState {
  std::vector<StateValue> values;
  std::vector<StateCount> counters;
  std::vector<StateValue> blobs;
  Pairs secrets;
  bool empty() const {
    return values.empty() && counters.empty() && blobs.empty() && secrets.empty();
  }
};

// What is not named is not checked. A counter that is not there is 0.
struct CaseEffects {
  std::vector<StateValue> values;
  std::vector<StateName> absent;  // keys
  std::vector<StateCount> counters;
  std::vector<StateValue> blobs;
  std::vector<StateName> absent_blobs;
  bool empty() const {
    return values.empty() && absent.empty() && counters.empty() && blobs.empty() &&
           absent_blobs.empty();
  }
};

// `folder` is the case's, where its files are. Problems are added to the reader's.
CaseState read_state(TableReader& table, const std::filesystem::path& folder);
CaseEffects read_effects(TableReader& table, const std::filesystem::path& folder);

// What must be found of `effects` by a turn that leaves nothing: the state before it.
CaseEffects unchanged(const CaseEffects& effects, const CaseState& before);

}  // namespace carrel::app
