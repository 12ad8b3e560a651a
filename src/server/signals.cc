#include "server/signals.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace carrel::server {

struct Signals::Impl {
  int descriptor = -1;
  sigset_t before{};
};

Result<std::unique_ptr<Signals>> Signals::take() {
  auto impl = std::make_unique<Impl>();
  sigset_t taken;
  ::sigemptyset(&taken);
  for (int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&taken, number);
  ::pthread_sigmask(SIG_BLOCK, &taken, &impl->before);
  ::signal(SIGPIPE, SIG_IGN);
  impl->descriptor = ::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
  if (impl->descriptor < 0) {
    ::pthread_sigmask(SIG_SETMASK, &impl->before, nullptr);
    return fail(Code::io, fmt::format("cannot take signals: {}", std::strerror(errno)));
  }
  return std::unique_ptr<Signals>(new Signals(std::move(impl)));
}

namespace {

void mask_ends(int how) {
  sigset_t ends;
  ::sigemptyset(&ends);
  for (int number : {SIGTERM, SIGINT}) ::sigaddset(&ends, number);
  ::pthread_sigmask(how, &ends, nullptr);
}

}  // namespace

Signals::Through::Through() { mask_ends(SIG_UNBLOCK); }
Signals::Through::~Through() { mask_ends(SIG_BLOCK); }

Signals::Signals(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Signals::~Signals() {
  ::close(impl_->descriptor);
  ::pthread_sigmask(SIG_SETMASK, &impl_->before, nullptr);
}

std::optional<Wake> Signals::take_one() {
  signalfd_siginfo info{};
  if (::read(impl_->descriptor, &info, sizeof info) != sizeof info) return std::nullopt;
  return info.ssi_signo == SIGHUP ? Wake::reload : Wake::stop;
}

Wake Signals::wait(int watched, std::chrono::milliseconds longest) {
  while (true) {
    std::array<pollfd, 2> waits = {{{.fd = impl_->descriptor, .events = POLLIN, .revents = 0},
                                    {.fd = watched, .events = POLLIN, .revents = 0}}};
    const int ready = ::poll(waits.data(), waits.size(), static_cast<int>(longest.count()));
    if (const auto wake = take_one()) return *wake;
    if (waits[1].revents != 0) return Wake::changed;
    if (ready == 0) return Wake::quiet;
  }
}

bool Signals::stop_within(std::chrono::milliseconds time) {
  pollfd wait{.fd = impl_->descriptor, .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, static_cast<int>(time.count())) <= 0) return false;
  return take_one() == Wake::stop;
}

}  // namespace carrel::server
