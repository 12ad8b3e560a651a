#include "app/oci/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace carrel::oci {
namespace {

std::unexpected<Error> failed(const std::filesystem::path& file, std::string_view what) {
  const int cause = errno;
  const bool full = cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
  return fail(full ? Code::store_full : Code::io,
              fmt::format("cannot {} {}: {}", what, file.string(), std::strerror(cause)));
}

// What the user's other files get.
mode_t usual_mode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

}  // namespace

Result<NewFile> NewFile::make(std::filesystem::path place) {
  std::string name =
      (place.parent_path() / fmt::format(".{}.XXXXXX", place.filename().string())).string();
  Fd file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) return failed(place, "make");
  ::fchmod(file.get(), usual_mode());
  return NewFile(std::move(place), std::move(name), std::move(file));
}

NewFile::~NewFile() {
  if (file_) ::unlink(name_.c_str());
}

Result<void> NewFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(place_, "write");
    bytes.remove_prefix(static_cast<std::size_t>(n));
    size_ += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<std::string> NewFile::content() const {
  std::string all(size_, '\0');
  for (std::size_t at = 0; at < all.size();) {
    const ssize_t n =
        ::pread(file_.get(), all.data() + at, all.size() - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return failed(place_, "read");
    at += static_cast<std::size_t>(n);
  }
  return all;
}

void NewFile::clear() {
  if (::ftruncate(file_.get(), 0) == 0 && ::lseek(file_.get(), 0, SEEK_SET) == 0) size_ = 0;
}

Result<void> NewFile::keep() {
  if (::fsync(file_.get()) != 0) return failed(place_, "write");
  if (::rename(name_.c_str(), place_.c_str()) != 0) return failed(place_, "make");
  file_.reset();
  return {};
}

Result<void> NewFile::keep_as(std::filesystem::path place) {
  place_ = std::move(place);
  return keep();
}

}  // namespace carrel::oci
