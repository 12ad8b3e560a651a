#include "cli/scratch_folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace carrel::cli {
namespace fs = std::filesystem;

Result<std::unique_ptr<ScratchFolder>> ScratchFolder::make() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  std::string pattern = (parent / "carrel-XXXXXX").string();
  if (!error && ::mkdtemp(pattern.data()) == nullptr) error = {errno, std::generic_category()};
  if (error) {
    return fail(Code::io,
                fmt::format("cannot make a temporary folder {}: {}", pattern, error.message()),
                "set TMPDIR to a folder that can be written");
  }
  return std::unique_ptr<ScratchFolder>(new ScratchFolder(std::move(pattern)));
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace carrel::cli
