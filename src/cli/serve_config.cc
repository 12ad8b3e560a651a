#include "cli/serve_config.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

namespace carrel::cli {
namespace {

namespace fs = std::filesystem;
using app::TomlEntry;
using app::TomlValue;
using Kind = TomlValue::Kind;

constexpr std::string_view kFolders = "apps";  // the arguments that are no options

// Options that name files, and what they may say instead.
struct PathKey {
  std::string_view key;
  std::string_view other;
};
constexpr auto kPaths = std::to_array<PathKey>({{"apps", ""},
                                                {"modules", ""},
                                                {"env_file", ""},
                                                {"state", ""},
                                                {"egress_ca_file", ""},
                                                {"tls_cert", ""},
                                                {"tls_key", ""},
                                                {"tls_folder", ""},
                                                {"acme_ca_file", ""},
                                                {"registry_config", ""},
                                                {"signed_by", ""},
                                                {"issuers", ""},
                                                {"otlp_headers", ""},
                                                {"access_log", "off"},
                                                {"log", "stderr"}});

std::string key_of(const CLI::Option& option) {
  if (option.get_positional()) return std::string(kFolders);
  const auto& names = option.get_lnames();
  std::string key = names.empty() ? std::string() : names.front();
  std::ranges::replace(key, '-', '_');
  return key == "help" || key == "config" ? std::string() : key;
}

CLI::Option* option_of(CLI::App& command, std::string_view key) {
  for (CLI::Option* option : command.get_options()) {
    if (!key.empty() && key_of(*option) == key) return option;
  }
  return nullptr;
}

class ConfigReader {
 public:
  ConfigReader(const fs::path& file, CLI::App& command, const std::set<std::string>& given)
      : folder_(file.parent_path()), command_(command), given_(given), problems_(file.native()) {}

  Result<void> read(const TomlValue& root) {
    for (const TomlEntry& entry : root.entries) read_entry(entry);
    if (!problems_.empty()) return std::unexpected(problems_.error());
    return {};
  }

 private:
  void read_entry(const TomlEntry& entry) {
    CLI::Option* const option = option_of(command_, entry.key);
    if (option == nullptr) {
      const auto keys = config_keys(command_);
      const std::vector<std::string_view> known(keys.begin(), keys.end());
      problems_.add(entry.at, fmt::format("unknown key {}{}", app::in_quotes(entry.key),
                                          app::suggestion(entry.key, known)));
      return;
    }
    std::vector<std::string> values;
    const bool many = option->get_expected_max() > 1;
    if (!read_values(entry.key, entry.value, many, values)) return;
    // Also what the command line decides is checked here: a file is right or wrong by itself.
    if (given_.contains(entry.key) || values.empty()) return;
    set(entry, *option, values);
  }

  void set(const TomlEntry& entry, CLI::Option& option, const std::vector<std::string>& values) {
    try {
      for (const std::string& value : values) option.add_result(value);
      option.run_callback();
    } catch (const CLI::Error& error) {
      option.clear();
      problems_.add(entry.at, fmt::format("`{}`: {}", entry.key, error.what()));
    }
  }

  bool read_values(std::string_view key, const TomlValue& value, bool many,
                   std::vector<std::string>& values) {
    switch (value.kind) {
      case Kind::text:
        values.push_back(path_of(key, value.text));
        return true;
      case Kind::integer:
        values.push_back(std::to_string(value.integer));
        return true;
      case Kind::real:
        values.push_back(fmt::format("{}", value.real));
        return true;
      case Kind::array:
        if (!many) break;
        return std::ranges::all_of(value.items, [&](const TomlValue& item) {
          return item.kind == Kind::text ? read_values(key, item, many, values)
                                         : wrong(key, item.at, "a list of texts");
        });
      case Kind::table:
        if (!many || (key != "env" && key != "host")) break;
        return std::ranges::all_of(value.entries, [&](const TomlEntry& pair) {
          if (pair.value.kind != Kind::text)
            return wrong(key, pair.at, "a table of texts: { NAME = \"value\" }");
          values.push_back(fmt::format("{}={}", pair.key, pair.value.text));
          return true;
        });
      default:
        break;
    }
    return wrong(key, value.at, many ? "a text or a list of texts" : "a text or a number");
  }

  bool wrong(std::string_view key, app::Position at, std::string_view wanted) {
    problems_.add(at, fmt::format("`{}` is to be {}", key, wanted));
    return false;
  }

  std::string path_of(std::string_view key, const std::string& text) const {
    const auto* const found = std::ranges::find(kPaths, key, &PathKey::key);
    if (found == kPaths.end() || text == "-" || text.empty() || text == found->other) return text;
    return (folder_ / text).lexically_normal();  // `text`, if it is absolute
  }

  const fs::path folder_;
  CLI::App& command_;
  const std::set<std::string>& given_;
  app::Problems problems_;
};

}  // namespace

std::vector<std::string> config_keys(const CLI::App& command) {
  std::vector<std::string> keys;
  for (const CLI::Option* option : command.get_options()) {
    if (std::string key = key_of(*option); !key.empty()) keys.push_back(std::move(key));
  }
  return keys;
}

std::set<std::string> given_keys(const CLI::App& command) {
  std::set<std::string> keys;
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() > 0) keys.insert(key_of(*option));
  }
  return keys;
}

Result<void> apply_config(const TomlValue& root, const fs::path& file, CLI::App& command,
                          const std::set<std::string>& given) {
  return ConfigReader(file, command, given).read(root);
}

bool is_wagi(const TomlValue& root) {
  const TomlValue* const modules = root.find("module");
  return modules != nullptr && modules->kind == Kind::array;
}

}  // namespace carrel::cli
