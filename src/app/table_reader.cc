#include "app/table_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/units.h"

namespace carrel::app {

using Kind = TomlValue::Kind;

TableReader::TableReader(const TomlValue& table, std::string where, Problems& problems)
    : table_(table), where_(std::move(where)), problems_(problems) {}

Position TableReader::at(std::string_view key) const {
  const TomlValue* value = table_.find(key);
  return value != nullptr ? value->at : table_.at;
}

void TableReader::problem(std::string_view key, std::string what) {
  problems_.add(at(key), std::move(what));
}

const TomlValue* TableReader::take(std::string_view key) {
  known_.push_back(key);
  return table_.find(key);
}

const TomlValue* TableReader::take(std::string_view key, Kind kind, std::string_view expected) {
  const TomlValue* value = take(key);
  if (value == nullptr || value->kind == kind) return value;
  problems_.add(value->at, fmt::format("`{}` in {} must be {}, not {}", key, where_, expected,
                                       kind_name(value->kind)));
  return nullptr;
}

std::optional<std::string> TableReader::bytes(std::string_view key, std::size_t most_bytes) {
  const TomlValue* value = take(key, Kind::text, "a text in quotes");
  if (value == nullptr) return {};
  if (value->text.size() > most_bytes) {
    problem(key, fmt::format("`{}` in {} is longer than {} bytes", key, where_, most_bytes));
    return {};
  }
  return value->text;
}

std::optional<std::string> TableReader::text(std::string_view key, std::size_t most_bytes) {
  auto value = bytes(key, most_bytes);
  if (value && value->find('\0') != std::string::npos) {
    problem(key, fmt::format("`{}` in {} contains a NUL character; remove it", key, where_));
    return {};
  }
  return value;
}

std::optional<std::string> TableReader::required_text(std::string_view key,
                                                      std::size_t most_bytes) {
  auto value = text(key, most_bytes);
  if (!has(key)) {
    problem(key, fmt::format("{} needs `{} = \"...\"`", where_, key));
  } else if (value && value->empty()) {
    problem(key, fmt::format("`{}` in {} must not be empty", key, where_));
    return {};
  }
  return value;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, Range<std::int64_t> range) {
  const TomlValue* value = take(key, Kind::integer, "a whole number");
  if (value == nullptr) return {};
  if (value->integer < range.least || value->integer > range.most) {
    problem(key, fmt::format("`{}` in {} must be from {} to {}, not {}", key, where_, range.least,
                             range.most, value->integer));
    return {};
  }
  return value->integer;
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const TomlValue* value = take(key, Kind::boolean, "true or false");
  return value == nullptr ? std::nullopt : std::optional(value->boolean);
}

std::optional<std::uint64_t> TableReader::size(std::string_view key, Range<std::uint64_t> range) {
  const TomlValue* value = take(key, Kind::text, "a size such as \"64MiB\"");
  if (value == nullptr) return {};
  const auto bytes = parse_size(value->text);
  if (!bytes) {
    problem(key,
            fmt::format("`{}` in {} must be a size such as \"64MiB\" (B, KiB, MiB or GiB), not {}",
                        key, where_, in_quotes(value->text)));
  } else if (*bytes < range.least || *bytes > range.most) {
    problem(key,
            fmt::format("`{}` in {} must be from {} to {}, not {}", key, where_,
                        size_text(range.least), size_text(range.most), in_quotes(value->text)));
  } else {
    return bytes;
  }
  return {};
}

std::optional<Nanos> TableReader::duration(std::string_view key, Range<Nanos> range) {
  const TomlValue* value = take(key, Kind::text, "a duration such as \"50ms\"");
  if (value == nullptr) return {};
  const auto span = parse_duration(value->text);
  if (!span) {
    problem(key, fmt::format(
                     "`{}` in {} must be a duration such as \"50ms\" (us, ms, s, m or h), not {}",
                     key, where_, in_quotes(value->text)));
  } else if (*span < range.least || *span > range.most) {
    problem(key, fmt::format("`{}` in {} must be from {} to {}, not {}", key, where_,
                             duration_text(range.least), duration_text(range.most),
                             in_quotes(value->text)));
  } else {
    return span;
  }
  return {};
}

std::vector<std::string> TableReader::texts(std::string_view key, std::size_t most_bytes) {
  std::vector<std::string> out;
  for (const TomlValue* value : text_values(key, most_bytes)) out.push_back(value->text);
  return out;
}

std::vector<const TomlValue*> TableReader::text_values(std::string_view key,
                                                       std::size_t most_bytes) {
  const TomlValue* value = take(key);
  std::vector<const TomlValue*> out;
  if (value == nullptr) return out;
  const auto add = [&](const TomlValue& item) {
    if (item.kind != Kind::text) {
      problems_.add(item.at, fmt::format("`{}` in {} must be a text or a list of texts, not {}",
                                         key, where_, kind_name(item.kind)));
    } else if (item.text.size() > most_bytes) {
      problems_.add(item.at, fmt::format("a text of `{}` in {} is longer than {} bytes", key,
                                         where_, most_bytes));
    } else {
      out.push_back(&item);
    }
  };
  if (value->kind == Kind::array) {
    for (const TomlValue& item : value->items) add(item);
  } else {
    add(*value);
  }
  return out;
}

Pairs TableReader::pairs(std::string_view key) {
  const TomlValue* value = take(key, Kind::table, "a table such as { NAME = \"value\" }");
  Pairs out;
  if (value == nullptr) return out;
  for (const TomlEntry& entry : value->entries) {
    const TomlValue& item = entry.value;
    switch (item.kind) {
      case Kind::text:
        out.emplace_back(entry.key, item.text);
        break;
      case Kind::integer:
        out.emplace_back(entry.key, fmt::format("{}", item.integer));
        break;
      case Kind::real:
        out.emplace_back(entry.key, fmt::format("{}", item.real));
        break;
      case Kind::boolean:
        out.emplace_back(entry.key, item.boolean ? "true" : "false");
        break;
      default:
        problems_.add(item.at,
                      fmt::format("{} in `{}` of {} must be a text, not {}", in_quotes(entry.key),
                                  key, where_, kind_name(item.kind)));
    }
  }
  return out;
}

const TomlValue* TableReader::table(std::string_view key) {
  return take(key, Kind::table, "a table");
}

std::vector<const TomlValue*> TableReader::tables(std::string_view key) {
  const auto expected = fmt::format("a list of tables, written [[{}]]", key);
  const TomlValue* value = take(key, Kind::array, expected);
  std::vector<const TomlValue*> out;
  if (value == nullptr) return out;
  for (const TomlValue& item : value->items) {
    if (item.kind == Kind::table) {
      out.push_back(&item);
    } else {
      problems_.add(item.at, fmt::format("`{}` must be {}", key, expected));
    }
  }
  return out;
}

void TableReader::refuse(std::string_view key, std::string_view why) {
  if (take(key) != nullptr) problem(key, std::string(why));
}

void TableReader::finish() {
  for (const TomlEntry& entry : table_.entries) {
    if (std::ranges::find(known_, entry.key) != known_.end()) continue;
    problems_.add(entry.at, fmt::format("unknown key {} in {}{}", in_quotes(entry.key), where_,
                                        suggestion(entry.key, known_)));
  }
}

}  // namespace carrel::app
