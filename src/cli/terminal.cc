#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "cli/command.h"
#include "observe/json_line.h"

namespace carrel::cli {
namespace {

// What cannot be written is dropped: there is nobody left to tell.
void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::plain:
      return "";
    case Colour::red:
      return "31";
    case Colour::green:
      return "32";
    case Colour::yellow:
      return "33";
    case Colour::bold:
      return "1";
  }
  return "";
}

}  // namespace

void print(std::string_view text) { write_all(STDOUT_FILENO, text); }
void print_error(std::string_view text) { write_all(STDERR_FILENO, text); }

bool is_terminal(Stream stream) {
  return ::isatty(stream == Stream::output ? STDOUT_FILENO : STDERR_FILENO) == 1;
}

std::string shown_name(Stream stream, std::string_view name) {
  return is_terminal(stream) ? observe::printable(name) : std::string(name);
}

std::string shown_lines(Stream stream, std::string_view text) {
  if (!is_terminal(stream)) return std::string(text);
  std::string shown;
  while (!text.empty()) {
    const auto end = text.find('\n');
    shown += observe::printable(text.substr(0, end));
    if (end == std::string_view::npos) break;
    shown += '\n';
    text.remove_prefix(end + 1);
  }
  return shown;
}

int report(const Error& error) {
  print_error(fmt::format("carrel: {}\n", shown_lines(Stream::error, error.describe())));
  return error.code() == Code::invalid_argument ? kUsage : kFailure;
}

int report_usage(std::string_view command, std::string_view what, std::string_view help) {
  print_error(fmt::format("carrel{}{}: {}\n  help     {}\n", command.empty() ? "" : " ", command,
                          what, help));
  return kUsage;
}

Palette::Palette(Stream stream) {
  const char* off = std::getenv("NO_COLOR");
  on_ = is_terminal(stream) && (off == nullptr || *off == '\0');
}

std::string Palette::paint(Colour colour, std::string_view text) const {
  if (!on_ || colour == Colour::plain) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code_of(colour), text);
}

}  // namespace carrel::cli
