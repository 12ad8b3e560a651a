#include "api/token.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/digest.h"
#include "base/hex.h"

namespace carrel::api {
namespace {

constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kShortest = 32;  // characters of a token that somebody chose
constexpr std::size_t kLongest = 512;

struct File {
  int fd;
  ~File() { ::close(fd); }
};

std::unexpected<Error> io_error(std::string_view what, const std::filesystem::path& file) {
  return fail(Code::io,
              fmt::format("cannot {} the token {}: {}", what, file.string(), std::strerror(errno)),
              "check the state folder (--state DIR) and who owns it");
}

Result<std::string> random_token() {
  std::array<std::byte, kRandomBytes> bytes;
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail(Code::io, "the system gave no random bytes");
  }
  return "carrel_" + to_hex(bytes);
}

// Linked into place whole: a crash leaves no empty token, and of two that start at once the first
// wins.
Result<void> make_file(const std::filesystem::path& file) {
  CARREL_TRY(const std::string token, random_token());
  const std::string draft = fmt::format("{}.{}", file.string(), ::getpid());
  ::unlink(draft.c_str());
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return io_error("write", file);
  const File closing{fd};
  const std::string text = token + "\n";
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  const bool linked = written && (::link(draft.c_str(), file.c_str()) == 0 || errno == EEXIST);
  const int cause = errno;
  ::unlink(draft.c_str());
  errno = cause;
  if (!linked) return io_error("write", file);
  return {};
}

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~+/=").contains(c);
}

Result<LocalToken> read(int fd, const std::filesystem::path& file) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return io_error("read", file);
  if (!S_ISREG(status.st_mode) || (status.st_mode & 077) != 0) {
    return fail(
        Code::invalid_config,
        fmt::format("the token {} could be read by others (mode {:03o})", file.string(),
                    status.st_mode & 0777),
        fmt::format("chmod 600 {0}; if somebody may have read it, delete it: a new one is made",
                    file.string()));
  }
  std::array<char, kLongest + 2> buffer;
  const ssize_t n = ::read(fd, buffer.data(), buffer.size());
  if (n < 0) return io_error("read", file);
  std::string_view token(buffer.data(), static_cast<std::size_t>(n));
  while (token.ends_with('\n') || token.ends_with('\r')) token.remove_suffix(1);
  if (token.size() < kShortest || token.size() > kLongest ||
      !std::ranges::all_of(token, is_token_character)) {
    return fail(
        Code::invalid_config,
        fmt::format("{} holds no token: {} to {} characters of A-Z a-z 0-9 -._~+/= are needed",
                    file.string(), kShortest, kLongest),
        "delete the file: a new token is made at the next start");
  }
  return LocalToken(token);
}

}  // namespace

LocalToken::LocalToken(std::string_view token) : digest_(sha256_hex(token)) {}

bool LocalToken::matches(std::string_view presented) const {
  const std::string digest = sha256_hex(presented);
  return CRYPTO_memcmp(digest.data(), digest_.data(), digest_.size()) == 0;
}

Result<LocalToken> LocalToken::load_or_make(const std::filesystem::path& file) {
  int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT) {
    CARREL_TRY_VOID(make_file(file));
    fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  }
  if (fd < 0) return io_error("read", file);
  const File closing{fd};
  return read(fd, file);
}

}  // namespace carrel::api
