#include "cli/pipes.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include "cli/terminal.h"

namespace carrel::cli {
namespace {

// Owner: who reads; while it lives, the terminal shows nothing of what is typed.
class Hidden {
 public:
  Hidden() {
    on_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!on_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;
  ~Hidden() {
    if (on_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }

 private:
  termios before_{};
  bool on_ = false;
};

enum class Until : unsigned char { end, line };

Result<std::size_t> read_some(std::span<std::byte> room) {
  while (true) {
    const ssize_t n = ::read(STDIN_FILENO, room.data(), room.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR)
      return fail(Code::io, fmt::format("standard input: {}", std::strerror(errno)));
  }
}

std::unexpected<Error> too_long(std::size_t most) {
  return fail(Code::invalid_argument, fmt::format("it is at most {} bytes long", most));
}

// Without the line's end.
Result<SecretBytes> read_secret_until(Until until, std::size_t most) {
  SecretBytes secret(most + 3);  // with a line's end, and one byte that is too many
  std::size_t size = 0;
  while (size < secret.size()) {
    CARREL_TRY(const std::size_t n, read_some(secret.room().subspan(size)));
    size += n;
    if (n == 0 || (until == Until::line && secret.view().substr(0, size).ends_with('\n'))) break;
  }
  const std::string_view bytes = secret.view().substr(0, size);
  if (bytes.ends_with('\n')) size -= bytes.ends_with("\r\n") ? 2 : 1;
  if (size > most) return too_long(most);
  secret.shorten(size);
  return secret;
}

}  // namespace

Result<std::string> read_input(std::size_t most) {
  std::string bytes;
  std::array<std::byte, 16 << 10> piece;
  while (true) {
    CARREL_TRY(const std::size_t n, read_some(piece));
    if (n == 0) return bytes;
    bytes.append(reinterpret_cast<const char*>(piece.data()), n);
    if (bytes.size() > most) return too_long(most);
  }
}

Result<SecretBytes> read_secret(std::string_view prompt, std::size_t most) {
  Result<SecretBytes> secret;
  if (::isatty(STDIN_FILENO) == 1) {
    print_error(prompt);
    {
      const Hidden hidden;
      secret = read_secret_until(Until::line, most);
    }
    print_error("\n");
  } else {
    secret = read_secret_until(Until::end, most);
  }
  if (secret && secret->size() == 0) {
    return fail(Code::invalid_argument, "the secret is empty", "write it to standard input");
  }
  return secret;
}

Result<void> write_output(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Code::io, fmt::format("standard output: {}", std::strerror(errno)));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace carrel::cli
