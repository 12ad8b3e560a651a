#include "app/case_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/case.h"
#include "base/files.h"
#include "store/key.h"
#include "store/record.h"
#include "store/sealer.h"

namespace carrel::app {
namespace fs = std::filesystem;
namespace {

using Kind = TomlValue::Kind;

// With or without its padding. Nothing: it is no base64.
std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 == 0) {
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return {};
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const auto digit = kDigits.find(c);
    if (digit == std::string_view::npos) return {};
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held);
    bits &= (1U << held) - 1;
  }
  if (bits != 0) return {};  // two texts would stand for the same bytes
  return bytes;
}

class StateReader {
 public:
  StateReader(TableReader& table, const fs::path& folder) : table_(table), folder_(folder) {}

  std::vector<StateValue> values() {
    std::vector<StateValue> values;
    for (const TomlEntry& entry : entries("kv")) {
      auto name = name_of(entry.key, entry.at);
      auto value = value_of(entry.value, entry.key);
      if (!name || !value) continue;
      value->name = std::move(*name);
      values.push_back(std::move(*value));
    }
    return values;
  }

  std::vector<StateCount> counters() {
    std::vector<StateCount> counters;
    for (const TomlEntry& entry : entries("counters")) {
      auto name = name_of(entry.key, entry.at);
      if (entry.value.kind != Kind::integer) {
        add(entry.value.at, fmt::format("the counter {} must be a whole number, not {}",
                                        in_quotes(entry.key), kind_name(entry.value.kind)));
      } else if (name) {
        counters.push_back({std::move(*name), entry.value.integer});
      }
    }
    return counters;
  }

  Pairs secrets() {
    Pairs secrets;
    for (const TomlEntry& entry : entries("secrets")) {
      if (entry.value.kind != Kind::text || entry.value.text.size() > store::kMaxSecret) {
        add(entry.value.at, fmt::format("the secret {} must be a text of at most {} bytes",
                                        in_quotes(entry.key), store::kMaxSecret));
      } else if (const auto fit = store::check_name(entry.key); !fit) {
        add(entry.at, fit.error().message());
      } else {
        secrets.emplace_back(entry.key, entry.value.text);
      }
    }
    return secrets;
  }

  std::vector<StateName> absent() {
    std::vector<StateName> absent;
    for (const TomlValue* value : table_.text_values("absent")) {
      if (auto name = name_of(value->text, value->at)) absent.push_back(std::move(*name));
    }
    return absent;
  }

 private:
  void add(Position at, std::string what) { table_.problems().add(at, std::move(what)); }

  const std::vector<TomlEntry>& entries(std::string_view key) {
    static const std::vector<TomlEntry> kNone;
    const TomlValue* found = table_.table(key);
    return found != nullptr ? found->entries : kNone;
  }

  std::optional<StateName> name_of(std::string_view text, Position at) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos || slash == 0 || slash > store::kMaxStoreName) {
      add(at, fmt::format("{} in {} must be \"STORE/KEY\", the store's name of at most {} bytes",
                          in_quotes(text), table_.where(), store::kMaxStoreName));
      return {};
    }
    StateName name{.store = std::string(text.substr(0, slash)),
                   .key = std::string(text.substr(slash + 1))};
    if (const auto fit = store::check_name(name.key); !fit) {
      add(at, fmt::format("{} in {}: {}", in_quotes(text), table_.where(), fit.error().message()));
      return {};
    }
    return name;
  }

  // A text, or a table with one of text, base64, file; and expires.
  std::optional<StateValue> value_of(const TomlValue& value, std::string_view name) {
    if (value.kind == Kind::text) return bounded({.bytes = value.text}, value.at, name);
    if (value.kind != Kind::table) {
      add(value.at, fmt::format("the value {} must be a text or {{ text, base64 or file = \"...\" "
                                "}}, not {}",
                                in_quotes(name), kind_name(value.kind)));
      return {};
    }
    TableReader table(value, in_quotes(name), table_.problems());
    StateValue read;
    if (const auto expires = table.text("expires")) {
      read.expires = parse_time(*expires);
      if (!read.expires) {
        table.problem("expires", fmt::format("{} is no time; write it as \"2026-01-02T03:04:05Z\"",
                                             in_quotes(*expires)));
      }
    }
    auto bytes = table.bytes("text", store::kMaxValue);
    const auto base64 = table.bytes("base64", 2 * store::kMaxValue);
    const auto file = table.text("file");
    table.finish();
    if (int{bytes.has_value()} + int{base64.has_value()} + int{file.has_value()} != 1) {
      add(value.at,
          fmt::format("the value {} needs one of `text`, `base64`, `file`", in_quotes(name)));
      return {};
    }
    if (base64) {
      bytes = from_base64(*base64);
      if (!bytes) {
        table.problem("base64", fmt::format("the value {} is not base64", in_quotes(name)));
      }
    }
    if (file) bytes = contents(table, *file);
    if (!bytes) return {};
    read.bytes = std::move(*bytes);
    return bounded(std::move(read), value.at, name);
  }

  std::optional<StateValue> bounded(StateValue value, Position at, std::string_view name) {
    if (value.bytes.size() <= store::kMaxValue) return value;
    add(at, fmt::format("the value {} is longer than {} bytes", in_quotes(name), store::kMaxValue));
    return {};
  }

  std::optional<std::string> contents(TableReader& table, const std::string& name) {
    auto bytes = read_file(folder_ / name, store::kMaxValue);
    if (bytes) return std::move(*bytes);
    table.problem("file", bytes.error().message());
    return {};
  }

  TableReader& table_;
  const fs::path& folder_;
};

}  // namespace

std::string text_of(const StateName& name) { return name.store + "/" + name.key; }

CaseState read_state(TableReader& table, const fs::path& folder) {
  StateReader reader(table, folder);
  CaseState state;
  state.values = reader.values();
  state.counters = reader.counters();
  state.secrets = reader.secrets();
  return state;
}

CaseEffects read_effects(TableReader& table, const fs::path& folder) {
  StateReader reader(table, folder);
  CaseEffects effects;
  effects.values = reader.values();
  effects.absent = reader.absent();
  effects.counters = reader.counters();
  for (const StateName& name : effects.absent) {
    if (std::ranges::find(effects.values, name, &StateValue::name) != effects.values.end()) {
      table.problem("absent", fmt::format("{} is in `kv` and in `absent` of {}",
                                          in_quotes(text_of(name)), table.where()));
    }
  }
  return effects;
}

CaseEffects unchanged(const CaseEffects& effects, const CaseState& before) {
  CaseEffects same;
  const auto add = [&](const StateName& name) {
    const auto found = std::ranges::find(before.values, name, &StateValue::name);
    if (found != before.values.end()) {
      same.values.push_back(*found);
    } else {
      same.absent.push_back(name);
    }
  };
  for (const StateValue& value : effects.values) add(value.name);
  for (const StateName& name : effects.absent) add(name);
  for (const StateCount& counter : effects.counters) {
    const auto found = std::ranges::find(before.counters, counter.name, &StateCount::name);
    same.counters.push_back(
        {counter.name, found != before.counters.end() ? found->count : std::int64_t{0}});
  }
  return same;
}

}  // namespace carrel::app
