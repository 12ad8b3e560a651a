#include "async/shard.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/look_out.h"

namespace carrel::async {
namespace asio = boost::asio;

struct Shard::Impl {
  asio::io_context io{1};
  // For life: an io_context that once ran out of work would refuse all later work.
  asio::executor_work_guard<asio::io_context::executor_type> guard = asio::make_work_guard(io);
  std::atomic<bool> stopping = false;
  // For another thread's answer: about a sync of a good disk. And for the next request of who has
  // just been answered, and has nobody else to ask.
  LookOut for_answer{std::chrono::microseconds(200)}, for_request{std::chrono::microseconds(200)};
};

Shard::Shard(unsigned index) : index_(index), impl_(std::make_unique<Impl>()) {}
Shard::~Shard() = default;

asio::io_context& Shard::io() { return impl_->io; }

// Between two slices of busy guests the waiting events are served, so a new turn waits for one
// slice at most; a bounded number of them, so events that keep coming do not starve the guests.
void Shard::step() {
  constexpr int kEventsBetweenSlices = 128;
  if (run_queue_.empty()) {
    const auto look = [this] { return impl_->io.poll_one() > 0; };
    if (look() || (due_soon_ > 0 ? impl_->for_answer : impl_->for_request)(look)) return;
    impl_->io.run_one();
    return;
  }
  for (int i = 0; i < kEventsBetweenSlices && impl_->io.poll_one() > 0; ++i) {
  }
  if (!run_queue_.empty()) run_queue_.run_next();
}

void Shard::run(std::optional<unsigned> pin) {
  if (pin) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(*pin, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set,
                           &set);  // best effort: a container may forbid it
  }
  while (!impl_->stopping.load(std::memory_order_relaxed)) step();
}

void Shard::stop() {
  asio::post(impl_->io, [this] { impl_->stopping.store(true, std::memory_order_relaxed); });
}

void Shard::submit(std::move_only_function<void()> work) { asio::post(impl_->io, std::move(work)); }

// Events are served only if it waits, which most calls of a library do not.
void Shard::run_until_done(Task<void> task) {
  task.start();
  while (!task.done()) step();
}

Task<void> Shard::sleep_until(Instant when) {
  // The timer lives in the awaiter, in the coroutine's frame: destroying the frame cancels it. The
  // handler that Asio still runs then finds `alive` false.
  struct Awaiter {
    asio::steady_timer timer;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) {
      timer.async_wait([caller, alive = alive](boost::system::error_code) {
        if (*alive) caller.resume();
      });
    }
    void await_resume() const noexcept {}
    ~Awaiter() { *alive = false; }
  };
  Awaiter awaiter{.timer = asio::steady_timer(impl_->io, when)};
  co_await awaiter;
}

Task<void> Shard::sleep_for(Nanos duration) {
  return sleep_until(std::chrono::steady_clock::now() + duration);
}

}  // namespace carrel::async
