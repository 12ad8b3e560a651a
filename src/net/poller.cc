#include "net/poller.h"

#include <sys/epoll.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace carrel::net {
namespace asio = boost::asio;
namespace {

constexpr int kBatch = 64;  // between two batches others have their turn

}  // namespace

struct Poller::Impl {
  Impl(asio::io_context& io, int fd) : set(io, fd) {}

  void arm() {
    set.async_wait(asio::posix::stream_descriptor::wait_read,
                   [this, alive = alive](boost::system::error_code failed) {
                     if (!*alive || failed) return;
                     dispatch();
                     if (*alive) arm();  // what is still ready then wakes us at once
                   });
  }

  void dispatch() {
    std::array<epoll_event, kBatch> events;
    const int count = ::epoll_wait(set.native_handle(), events.data(), kBatch, 0);
    for (int i = 0; i < count; ++i)
      static_cast<Watched*>(events[i].data.ptr)->on_ready(events[i].events);
  }

  asio::posix::stream_descriptor set;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

Poller::Poller(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) { impl_->arm(); }
Poller::~Poller() { *impl_->alive = false; }

Result<std::unique_ptr<Poller>> Poller::make(async::Shard& shard) {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0)
    return fail(Code::unavailable, "cannot create an epoll set", "raise the limit of open files");
  return std::unique_ptr<Poller>(new Poller(std::make_unique<Impl>(shard.io(), fd)));
}

bool Poller::add(int fd, std::uint32_t events, Watched& watched) {
  epoll_event event{.events = events, .data = {.ptr = &watched}};
  return ::epoll_ctl(impl_->set.native_handle(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Poller::change(int fd, std::uint32_t events, Watched& watched) {
  epoll_event event{.events = events, .data = {.ptr = &watched}};
  ::epoll_ctl(impl_->set.native_handle(), EPOLL_CTL_MOD, fd, &event);
}

}  // namespace carrel::net
