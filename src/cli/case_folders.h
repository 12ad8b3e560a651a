// Finds the test cases below a folder.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/result.h"

namespace carrel::cli {

struct CaseFolder {
  std::filesystem::path folder;              // has a case.toml
  std::optional<std::filesystem::path> app;  // the folder with the carrel.toml it belongs to
};

// `folder` may be a case, an app (its cases are in tests/), or anything above such folders; sorted
// by path. Symbolic links are not followed. Errors: not_found when there is no case.
Result<std::vector<CaseFolder>> find_cases(const std::filesystem::path& folder);

}  // namespace carrel::cli
