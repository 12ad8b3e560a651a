// TOML as plain data with places: the only part of Carrel that knows a TOML library is toml.cc.
//
// Texts are bounded in size and nesting, so a file that somebody sends cannot exhaust memory or
// stack.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "app/problems.h"

namespace carrel::app {

struct TomlEntry;

// Value type. Only the member that `kind` names is set.
struct TomlValue {
  enum class Kind : std::uint8_t { text, integer, real, boolean, date, array, table };
  Kind kind = Kind::table;
  Position at;
  std::string text;
  std::int64_t integer = 0;
  double real = 0;
  bool boolean = false;
  std::vector<TomlValue> items;
  std::vector<TomlEntry> entries;  // by key

  const TomlValue* find(std::string_view key) const;
};

struct TomlEntry {
  std::string key;
  Position at;
  TomlValue value;
};

std::string_view kind_name(TomlValue::Kind kind);  // "a text", "a whole number", ...

// The root table. Errors: invalid_config, with the place, called `file` in the message.
Result<TomlValue> parse_toml(std::string_view text, const std::string& file);

// A whole file. Errors: not_found, io, invalid_config for one over 1 MiB or that is not a regular
// file.
Result<std::string> read_small_file(const std::filesystem::path& file);

}  // namespace carrel::app
