// The options of `carrel run` that have a grammar of their own.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carrel::cli {

enum class FolderAccess : unsigned char { read_write, read_only };

// A host folder that a guest sees.
struct FolderGrant {
  std::filesystem::path host;
  std::string name;   // as the guest's libc is told: "/data", or "." for the current folder
  std::string place;  // in the guest's tree: absolute, normalised
  FolderAccess access = FolderAccess::read_write;
};

// "HOST::GUEST", "HOST::GUEST:ro", "HOST", "HOST:ro". Errors: invalid_argument.
Result<FolderGrant> parse_folder_grant(std::string_view text);

// "NAME=VALUE" as it is; "NAME" with the value it has here, or nothing if it has none.
// Errors: invalid_argument for an empty name.
Result<std::optional<std::string>> parse_variable(const std::string& text);

}  // namespace carrel::cli
