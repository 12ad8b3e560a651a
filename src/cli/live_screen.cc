#include "cli/live_screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <string_view>

#include "cli/terminal.h"

namespace carrel::cli {
namespace {

constexpr std::string_view kBegin = "\x1b[?1049h\x1b[?25l\x1b[2J";  // another page, no cursor
constexpr std::string_view kEnd = "\x1b[?25h\x1b[?1049l";
constexpr char kInterrupt = 3;  // Ctrl-C, of a terminal that does not make it a signal

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGWINCH, SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

// For the life of the process: signals are read, they interrupt nothing.
int signals() {
  static const int kFile = [] {
    const sigset_t set = watched();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    return ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }();
  return kFile;
}

}  // namespace

Result<LiveScreen> LiveScreen::take() {
  termios before{};
  if (!is_terminal(Stream::output) || ::tcgetattr(STDIN_FILENO, &before) != 0) {
    return fail(Code::unsupported, "this is no terminal", "--once shows it once, as text");
  }
  return LiveScreen(before);
}

LiveScreen::LiveScreen(const termios& before) : before_(before) {
  signals();
  termios raw = before;
  raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG | IEXTEN);
  raw.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  print(kBegin);
}

LiveScreen::LiveScreen(LiveScreen&& other) noexcept
    : before_(other.before_), mine_(std::exchange(other.mine_, false)) {}

LiveScreen::~LiveScreen() {
  if (!mine_) return;
  print(kEnd);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

ScreenSize LiveScreen::size() const {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {};
  return {.columns = size.ws_col, .rows = size.ws_row};
}

LiveScreen::Woken LiveScreen::wait(std::chrono::milliseconds longest) {
  pollfd files[] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                    {.fd = signals(), .events = POLLIN, .revents = 0}};
  if (::poll(files, 2, static_cast<int>(longest.count())) <= 0) return {Wake::time};
  if (files[1].revents != 0) {
    signalfd_siginfo signal{};
    if (::read(files[1].fd, &signal, sizeof signal) != sizeof signal) return {Wake::time};
    return {signal.ssi_signo == SIGWINCH ? Wake::resized : Wake::end};
  }
  char key = 0;
  if (::read(STDIN_FILENO, &key, 1) != 1) return {Wake::end};  // nobody is there any more
  if (key == kInterrupt) return {Wake::end};
  return {Wake::key, key};
}

}  // namespace carrel::cli
