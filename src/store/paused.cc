#include "store/paused.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <system_error>

#include "base/fd.h"

namespace carrel::store {
namespace fs = std::filesystem;
namespace {

constexpr const char* kMark = "PAUSED";

Error io_error(std::string_view what, const fs::path& path, int number) {
  return Error(Code::io, fmt::format("cannot {} {}: {}", what, path.string(),
                                     std::generic_category().message(number)));
}

Result<void> sync(const fs::path& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return std::unexpected(io_error("sync", path, errno));
  return {};
}

}  // namespace

bool is_paused(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / kMark, error) || error;
}

Result<void> mark_paused(const fs::path& folder) {
  const fs::path mark = folder / kMark;
  const Fd fd(::open(mark.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return std::unexpected(io_error("make", mark, errno));
  return sync(folder);
}

Result<void> end_pause(const fs::path& folder) {
  std::error_code error;
  fs::remove(folder / kMark, error);
  if (error) return std::unexpected(io_error("remove", folder / kMark, error.value()));
  return sync(folder);
}

}  // namespace carrel::store
