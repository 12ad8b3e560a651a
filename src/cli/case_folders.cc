#include "cli/case_folders.h"

#include <fmt/format.h>

#include <algorithm>

namespace carrel::cli {
namespace fs = std::filesystem;
namespace {

constexpr int kDeepest = 8;

bool has(const fs::path& folder, const char* file) {
  std::error_code error;
  return fs::is_regular_file(folder / file, error);
}

std::vector<fs::path> subfolders(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with('.') || name == "node_modules") continue;
    std::error_code unreadable;
    if (at->symlink_status(unreadable).type() == fs::file_type::directory)
      found.push_back(at->path());
  }
  std::ranges::sort(found);
  return found;
}

// A case in APP/tests/NAME belongs to APP; one elsewhere to the nearest app above it, if that is
// near.
std::optional<fs::path> app_above(const fs::path& folder) {
  std::error_code error;
  fs::path at = fs::absolute(folder, error).lexically_normal();
  for (int i = 0; i < 4 && at.has_parent_path() && at != at.parent_path();
       ++i, at = at.parent_path()) {
    if (has(at, "carrel.toml")) return at;
  }
  return std::nullopt;
}

void collect(const fs::path& folder, const std::optional<fs::path>& app, int depth,
             std::vector<CaseFolder>& found) {
  if (has(folder, "case.toml")) {
    found.push_back({.folder = folder, .app = app});
    return;
  }
  if (depth > kDeepest) return;
  if (has(folder, "carrel.toml")) {
    for (const fs::path& inner : subfolders(folder / "tests"))
      collect(inner, folder, depth + 2, found);
    return;
  }
  for (const fs::path& inner : subfolders(folder)) collect(inner, app, depth + 1, found);
}

}  // namespace

Result<std::vector<CaseFolder>> find_cases(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return fail(Code::not_found, fmt::format("{} is not a folder", folder.string()));
  }
  std::vector<CaseFolder> found;
  collect(folder, app_above(folder), 0, found);
  if (found.empty()) {
    return fail(Code::not_found, fmt::format("no test case below {}", folder.string()),
                "a case is a folder with a case.toml; an app's cases are in tests/. "
                "`carrel invoke --record DIR` writes one");
  }
  return found;
}

}  // namespace carrel::cli
