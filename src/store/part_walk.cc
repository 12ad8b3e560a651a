#include "store/part_walk.h"

#include <sys/stat.h>

namespace carrel::store {
namespace {

const std::filesystem::directory_iterator kEnd;

WallTime time_of(const timespec& time) {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(
      std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)));
}

}  // namespace

PartWalk::PartWalk(const std::filesystem::path& folder) : tenants_(folder, error_) {
  if (error_ == std::errc::no_such_file_or_directory) error_.clear();
}

Result<std::optional<PartFile>> PartWalk::next() {
  while (!error_) {
    if (!tenant_) {
      if (tenants_ == kEnd) return std::nullopt;
      std::error_code gone;
      tenant_ = tenant_of(tenants_->path().filename().native());
      if (tenant_ && tenants_->is_directory(gone)) {
        files_ = std::filesystem::directory_iterator(tenants_->path(), error_);
      }
      tenants_.increment(error_);
      continue;
    }
    if (files_ == kEnd) {
      tenant_.reset();
      continue;
    }
    const std::filesystem::path path = files_->path();
    files_.increment(error_);
    const auto name = part_named(path.filename().native());
    struct stat found{};
    if (!name || ::lstat(path.c_str(), &found) != 0) continue;  // or it has been removed meanwhile
    return PartFile{.tenant = *tenant_,
                    .name = *name,
                    .path = path,
                    .bytes = static_cast<std::uint64_t>(found.st_size),
                    .written = time_of(found.st_mtim)};
  }
  return fail(Code::io, "cannot list the parts: " + error_.message());
}

}  // namespace carrel::store
