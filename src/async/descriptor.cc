#include "async/descriptor.h"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>

namespace carrel::async {
namespace asio = boost::asio;

// Asio would switch the descriptor it waits for to non-blocking. So it is given an epoll set of our
// own that watches the shared one: a set is readable when something in it is ready.
struct Readiness::Impl {
  Impl(asio::io_context& io, int watched, short wanted) : fd(watched), events(wanted), set(io) {}
  int fd;
  short events;
  bool always = false;  // nothing to wait for
  asio::posix::stream_descriptor set;
};

Readiness::Readiness(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Readiness::~Readiness() = default;

Result<std::unique_ptr<Readiness>> Readiness::of(Shard& shard, int fd, Direction direction) {
  auto impl =
      std::make_unique<Impl>(shard.io(), fd, direction == Direction::read ? POLLIN : POLLOUT);
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0)
    return fail(Code::io, std::string("cannot wait for a descriptor: ") + std::strerror(errno));
  epoll_event event{};
  event.events = direction == Direction::read ? EPOLLIN : EPOLLOUT;
  if (::epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0) {
    const int error = errno;
    ::close(set);
    if (error != EPERM)
      return fail(Code::io, std::string("cannot wait for a descriptor: ") + std::strerror(error));
    impl->always = true;
  } else {
    boost::system::error_code failed;
    (void)impl->set.assign(set, failed);
    if (failed) {
      ::close(set);
      return fail(Code::io, "cannot wait for a descriptor: " + failed.message());
    }
  }
  return std::unique_ptr<Readiness>(new Readiness(std::move(impl)));
}

bool Readiness::now() const {
  if (impl_->always) return true;
  pollfd entry{.fd = impl_->fd, .events = impl_->events, .revents = 0};
  return ::poll(&entry, 1, 0) != 0;
}

Task<void> Readiness::wait() {
  // As in Shard::sleep_until: the handler that runs after the frame is gone finds `alive` false.
  struct Awaiter {
    asio::posix::stream_descriptor* set;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) {
      set->async_wait(asio::posix::stream_descriptor::wait_read,
                      [caller, alive = alive](boost::system::error_code) {
                        if (*alive) caller.resume();
                      });
    }
    void await_resume() const noexcept {}
    ~Awaiter() {
      *alive = false;
      boost::system::error_code ignored;
      (void)set->cancel(ignored);
    }
  };
  if (now()) co_return;
  Awaiter awaiter{.set = &impl_->set};
  co_await awaiter;
}

}  // namespace carrel::async
