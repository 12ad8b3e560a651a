#include "app/case_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/case.h"
#include "base/base64.h"
#include "base/files.h"
#include "store/key.h"
#include "store/record.h"
#include "store/sealer.h"

namespace carrel::app {
namespace fs = std::filesystem;
namespace {

using Kind = TomlValue::Kind;

// Over and over, to so many bytes.
std::string repeated(std::string_view text, std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) bytes += text.substr(0, size - bytes.size());
  return bytes;
}

// What is expected of things of one kind when nothing has changed them.
void add_unchanged(const std::vector<StateName>& names, const std::vector<StateValue>& before,
                   std::vector<StateValue>& there, std::vector<StateName>& absent) {
  for (const StateName& name : names) {
    const auto found = std::ranges::find(before, name, &StateValue::name);
    if (found != before.end()) {
      there.push_back(*found);
    } else {
      absent.push_back(name);
    }
  }
}

std::vector<StateName> names_of(const std::vector<StateValue>& values,
                                std::vector<StateName> names) {
  for (const StateValue& value : values) names.push_back(value.name);
  return names;
}

class StateReader {
 public:
  StateReader(TableReader& table, const fs::path& folder) : table_(table), folder_(folder) {}

  std::vector<StateValue> values() { return contents_of("kv", store::kMaxValue); }
  std::vector<StateValue> blobs() { return contents_of("blobs", kMaxCaseBlob); }

  std::vector<StateValue> contents_of(std::string_view kind, std::size_t most) {
    std::vector<StateValue> values;
    for (const TomlEntry& entry : entries(kind)) {
      auto name = name_of(entry.key, entry.at);
      auto value = value_of(entry.value, entry.key, most);
      if (value && value->expires && kind != "kv") {
        add(entry.value.at, fmt::format("the blob {} cannot expire", in_quotes(entry.key)));
      }
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

  std::vector<StateName> absent(std::string_view list) {
    std::vector<StateName> absent;
    for (const TomlValue* value : table_.text_values(list)) {
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

  // A text, or a table with one of text, base64, file; and size, expires.
  std::optional<StateValue> value_of(const TomlValue& value, std::string_view name,
                                     std::size_t most) {
    if (value.kind == Kind::text) return bounded({.bytes = value.text}, value.at, name, most);
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
    auto bytes = table.bytes("text", most);
    const auto base64 = table.bytes("base64", 2 * most);
    const auto file = table.text("file");
    const auto size = table.integer("size", {0, static_cast<std::int64_t>(most)});
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
    if (file) bytes = contents(table, *file, most);
    if (!bytes) return {};
    if (bytes->empty() && size.value_or(0) > 0) {
      table.problem("size", fmt::format("the value {} has nothing to repeat", in_quotes(name)));
      return {};
    }
    read.bytes = size ? repeated(*bytes, static_cast<std::size_t>(*size)) : std::move(*bytes);
    return bounded(std::move(read), value.at, name, most);
  }

  std::optional<StateValue> bounded(StateValue value, Position at, std::string_view name,
                                    std::size_t most) {
    if (value.bytes.size() <= most) return value;
    add(at, fmt::format("the value {} is longer than {} bytes", in_quotes(name), most));
    return {};
  }

  std::optional<std::string> contents(TableReader& table, const std::string& name,
                                      std::size_t most) {
    auto bytes = read_file(folder_ / name, most);
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
  state.blobs = reader.blobs();
  state.secrets = reader.secrets();
  return state;
}

CaseEffects read_effects(TableReader& table, const fs::path& folder) {
  StateReader reader(table, folder);
  CaseEffects effects;
  effects.values = reader.values();
  effects.absent = reader.absent("absent");
  effects.counters = reader.counters();
  effects.blobs = reader.blobs();
  effects.absent_blobs = reader.absent("absent_blobs");
  const auto refuse_both = [&](const auto& there, std::string_view kind, const auto& absent,
                               std::string_view list) {
    for (const StateName& name : absent) {
      if (std::ranges::find(there, name, &StateValue::name) == there.end()) continue;
      table.problem(list, fmt::format("{} is in `{}` and in `{}` of {}", in_quotes(text_of(name)),
                                      kind, list, table.where()));
    }
  };
  refuse_both(effects.values, "kv", effects.absent, "absent");
  refuse_both(effects.blobs, "blobs", effects.absent_blobs, "absent_blobs");
  return effects;
}

CaseEffects unchanged(const CaseEffects& effects, const CaseState& before) {
  CaseEffects same;
  add_unchanged(names_of(effects.values, effects.absent), before.values, same.values, same.absent);
  add_unchanged(names_of(effects.blobs, effects.absent_blobs), before.blobs, same.blobs,
                same.absent_blobs);
  for (const StateCount& counter : effects.counters) {
    const auto found = std::ranges::find(before.counters, counter.name, &StateCount::name);
    same.counters.push_back(
        {counter.name, found != before.counters.end() ? found->count : std::int64_t{0}});
  }
  return same;
}

}  // namespace carrel::app
