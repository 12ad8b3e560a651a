#include "base/spill_buffer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace carrel {
namespace {

std::unexpected<Error> failed(const char* what) {
  const Code code = errno == ENOSPC || errno == EDQUOT ? Code::store_full : Code::io;
  return fail(code, std::string("cannot ") + what + " a temporary file: " + std::strerror(errno));
}

Result<void> write_all(int file, std::string_view bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(n));
    at += static_cast<std::uint64_t>(n);
  }
  return {};
}

}  // namespace

Result<void> SpillBuffer::spill() {
  std::error_code error;
  const auto folder = folder_.empty() ? std::filesystem::temp_directory_path(error) : folder_;
  Fd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) return failed("make");
  CARREL_TRY_VOID(write_all(file.get(), memory_, 0));
  file_ = std::move(file);
  memory_ = {};
  return {};
}

Result<void> SpillBuffer::append(std::string_view bytes) {
  if (!file_ && memory_.size() + bytes.size() > in_memory_) CARREL_TRY_VOID(spill());
  if (file_) {
    CARREL_TRY_VOID(write_all(file_.get(), bytes, size_));
  } else {
    memory_ += bytes;
  }
  size_ += bytes.size();
  return {};
}

Result<std::string> SpillBuffer::read(std::uint64_t at, std::size_t max) const {
  if (at >= size_) return std::string();
  if (!file_) return memory_.substr(at, max);
  std::string bytes(std::min<std::uint64_t>(max, size_ - at), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::pread(file_.get(), bytes.data() + done, bytes.size() - done,
                              static_cast<off_t>(at + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return failed("read");
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

}  // namespace carrel
