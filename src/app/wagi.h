// wagi's modules.toml, unchanged: read into the same Manifest, with wagi's rules for routes.
//
// Every [[module]] becomes a module and a function. Paths are relative to the file's folder or, as
// wagi has it, to the working folder. wagi limits nothing; here a module gets wagi_limits().
#pragma once

#include <filesystem>
#include <string_view>

#include "app/manifest.h"

namespace carrel::app {

turn::Limits wagi_limits();

// Errors: not_found, io, invalid_config.
Result<Manifest> load_wagi(const std::filesystem::path& file);
Result<Manifest> parse_wagi(std::string_view text, const std::filesystem::path& file);

}  // namespace carrel::app
