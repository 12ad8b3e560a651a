// Strict reading of one TOML table: ask for every key it may have, then `finish` complains of the
// others.
//
// A getter returns nothing both when the key is absent and when its value is bad; the latter has
// been added to the problems, so a reader goes on and finds all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/toml.h"
#include "base/clock.h"

namespace carrel::app {

using Pairs = std::vector<std::pair<std::string, std::string>>;

template <typename T>
struct Range {
  T least, most;
};

// Views the value and the problems, which outlive it. `where` names the table: "[module.price]".
class TableReader {
 public:
  TableReader(const TomlValue& table, std::string where, Problems& problems);

  const std::string& where() const { return where_; }
  Problems& problems() { return problems_; }
  Position at(std::string_view key) const;  // of the key's value, or of the table
  bool has(std::string_view key) const { return table_.find(key) != nullptr; }
  void problem(std::string_view key, std::string what);

  std::optional<std::string> text(std::string_view key, std::size_t most_bytes = 4096);
  std::optional<std::string> required_text(std::string_view key, std::size_t most_bytes = 4096);
  // A text that may contain NUL.
  std::optional<std::string> bytes(std::string_view key, std::size_t most_bytes);
  std::optional<std::int64_t> integer(std::string_view key, Range<std::int64_t> range);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::uint64_t> size(std::string_view key, Range<std::uint64_t> range);
  std::optional<Nanos> duration(std::string_view key, Range<Nanos> range);
  // One text or a list of them.
  std::vector<std::string> texts(std::string_view key, std::size_t most_bytes = 4096);
  // The same with their places; nothing but texts.
  std::vector<const TomlValue*> text_values(std::string_view key, std::size_t most_bytes = 4096);
  // A table of texts; numbers and booleans are taken as they are written.
  Pairs pairs(std::string_view key);

  // A table in this one, or null. `tables`: an array of them ([[name]]).
  const TomlValue* table(std::string_view key);
  std::vector<const TomlValue*> tables(std::string_view key);

  // A key this build knows of but cannot serve: a problem if it is there.
  void refuse(std::string_view key, std::string_view why);

  void finish();

 private:
  const TomlValue* take(std::string_view key);
  const TomlValue* take(std::string_view key, TomlValue::Kind kind, std::string_view expected);

  const TomlValue& table_;
  std::string where_;
  Problems& problems_;
  std::vector<std::string_view> known_;
};

}  // namespace carrel::app
