// Whole files at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace carrel {

// Errors: not_found; io; invalid_argument for what is not a regular file or has more than `max`
// bytes.
Result<std::string> read_file(const std::filesystem::path& file, std::uint64_t max);

}  // namespace carrel
