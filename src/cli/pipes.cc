#include "cli/pipes.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

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

Result<std::string> read_until(Until until, std::size_t most) {
  std::string bytes;
  std::array<char, 16 << 10> piece;
  while (true) {
    const ssize_t n = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Code::io, fmt::format("standard input: {}", std::strerror(errno)));
    if (n == 0) return bytes;
    bytes.append(piece.data(), static_cast<std::size_t>(n));
    if (bytes.size() > most)
      return fail(Code::invalid_argument, fmt::format("it is at most {} bytes long", most));
    if (until == Until::line && bytes.ends_with('\n')) return bytes;
  }
}

}  // namespace

Result<std::string> read_input(std::size_t most) { return read_until(Until::end, most); }

Result<std::string> read_secret(std::string_view prompt, std::size_t most) {
  Result<std::string> secret;
  if (::isatty(STDIN_FILENO) == 1) {
    print_error(prompt);
    {
      const Hidden hidden;
      secret = read_until(Until::line, most + 2);
    }
    print_error("\n");
  } else {
    secret = read_until(Until::end, most + 2);
  }
  if (!secret) return secret;
  if (secret->ends_with('\n')) secret->pop_back();
  if (secret->ends_with('\r')) secret->pop_back();
  if (secret->empty()) {
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
