#include "app/toml.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>

// The library asserts what bad input can violate ("[,"), and without assertions has the compiler
// assume it. It checks the same again right after, so neither is wanted.
#undef NDEBUG
#define TOML_ASSERT(expr) static_assert(true)
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 64
#include <toml++/toml.h>

namespace carrel::app {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::size_t kMaxDots = 16;

Position position_of(const toml::source_region& region) {
  return {static_cast<std::uint32_t>(region.begin.line),
          static_cast<std::uint32_t>(region.begin.column)};
}

// The library nests values within a bound but takes tables as deep as a dotted key is long, and its
// destructor recurses. So keys of too many parts are found before it sees them.
class DottedKeys {
 public:
  explicit DottedKeys(std::string_view text) : text_(text) {}

  // The line of a key with too many parts, or 0.
  std::uint32_t find() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        continue;
      }
      if (c == '.') {
        if (++dots_ > kMaxDots) return line_;
      } else if (c == '\n') {
        ++line_;
        dots_ = 0;
      } else if (std::string_view("=[]{},").find(c) != std::string_view::npos) {
        dots_ = 0;
      }
      ++at_;
    }
    return 0;
  }

 private:
  bool starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }

  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool many_lines = starts(three);
    at_ += many_lines ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        // A string that does not end on its line is an error, which the library will report.
        if (!many_lines) return;
        ++line_;
      }
      if (c == '\\' && quote == '"') {
        if (text_.substr(at_, 2) == "\\\n") ++line_;
        at_ += 2;
        continue;
      }
      if (c == quote && (!many_lines || starts(three))) {
        // A string may end in quotes of its own: """a"""" ends with the last of them.
        at_ += many_lines ? 3 : 1;
        while (many_lines && at_ < text_.size() && text_[at_] == quote) ++at_;
        return;
      }
      ++at_;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t dots_ = 0;
  std::uint32_t line_ = 1;
};

TomlValue convert(const toml::node& node);

TomlValue convert_table(const toml::table& table) {
  TomlValue value;
  value.entries.reserve(table.size());
  for (const auto& [key, node] : table) {
    value.entries.push_back({std::string(key.str()), position_of(key.source()), convert(node)});
  }
  return value;
}

TomlValue convert(const toml::node& node) {
  using Kind = TomlValue::Kind;
  TomlValue value;
  if (const auto* table = node.as_table()) {
    value = convert_table(*table);
  } else if (const auto* array = node.as_array()) {
    value.kind = Kind::array;
    value.items.reserve(array->size());
    for (const auto& item : *array) value.items.push_back(convert(item));
  } else if (const auto* text = node.as_string()) {
    value.kind = Kind::text;
    value.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.kind = Kind::integer;
    value.integer = integer->get();
  } else if (const auto* real = node.as_floating_point()) {
    value.kind = Kind::real;
    value.real = real->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.kind = Kind::boolean;
    value.boolean = boolean->get();
  } else {
    value.kind = Kind::date;
  }
  value.at = position_of(node.source());
  return value;
}

Error problem(const std::string& file, Position at, std::string what) {
  Problems problems(file);
  problems.add(at, std::move(what));
  return problems.error();
}

}  // namespace

const TomlValue* TomlValue::find(std::string_view key) const {
  for (const TomlEntry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string_view kind_name(TomlValue::Kind kind) {
  switch (kind) {
    case TomlValue::Kind::text:
      return "a text";
    case TomlValue::Kind::integer:
      return "a whole number";
    case TomlValue::Kind::real:
      return "a fraction";
    case TomlValue::Kind::boolean:
      return "true or false";
    case TomlValue::Kind::date:
      return "a date or time";
    case TomlValue::Kind::array:
      return "a list";
    case TomlValue::Kind::table:
      return "a table";
  }
  return "a value";
}

Result<TomlValue> parse_toml(std::string_view text, const std::string& file) {
  if (text.size() > kMaxBytes) {
    return std::unexpected(problem(file, {},
                                   "the file is larger than 1 MiB; split the app, or move "
                                   "data into files of their own"));
  }
  if (const auto line = DottedKeys(text).find(); line > 0) {
    return std::unexpected(
        problem(file, {line, 1}, fmt::format("a key has more than {} parts", kMaxDots)));
  }
  auto parsed = toml::parse(text, std::string_view(file));
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    std::string what = fmt::format("not valid TOML: {}", error.description());
    return std::unexpected(problem(file, position_of(error.source()), std::move(what)));
  }
  TomlValue root = convert_table(parsed.table());
  root.at = {1, 1};
  return root;
}

Result<std::string> read_small_file(const std::filesystem::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) {
    return fail(Code::not_found, fmt::format("there is no file {}", in_quotes(file.native())));
  }
  // A pipe or a device would block or never end.
  if (!S_ISREG(status.st_mode)) {
    return fail(Code::invalid_config,
                fmt::format("{} is not a regular file", in_quotes(file.native())));
  }
  std::ifstream in(file, std::ios::binary);
  std::string text(kMaxBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad() || (in.fail() && !in.eof())) {
    return fail(Code::io, fmt::format("cannot read {}", in_quotes(file.native())),
                "check the file's permissions");
  }
  if (text.size() > kMaxBytes) {
    return fail(Code::invalid_config,
                fmt::format("{} is larger than 1 MiB", in_quotes(file.native())),
                "move data into files of their own");
  }
  return text;
}

}  // namespace carrel::app
