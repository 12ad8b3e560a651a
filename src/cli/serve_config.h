// The server's configuration file, carreld.toml: every option of `carrel serve` under its own name.
//
//   listen = "0.0.0.0:3000"      # --listen; a '-' in an option's name is '_' here
//   apps = ["shop", "blog"]      # the folders
//   env = { REGION = "eu" }
//
// What is on the command line goes before what is in the file. Paths are relative to the file.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/toml.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace carrel::cli {

// Keys that there are for a command's options, in the order of its help.
std::vector<std::string> config_keys(const CLI::App& command);

// Those whose options were on its command line.
std::set<std::string> given_keys(const CLI::App& command);

// Gives the options of `command` the values of the file, but for those in `given`. Errors:
// invalid_config with all that is wrong: unknown keys, values that the option does not take.
Result<void> apply_config(const app::TomlValue& root, const std::filesystem::path& file,
                          CLI::App& command, const std::set<std::string>& given);

// Whether it is a modules.toml of wagi, which the same option may name.
bool is_wagi(const app::TomlValue& root);

}  // namespace carrel::cli
