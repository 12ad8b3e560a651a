#include "store/io_pool.h"

#include <condition_variable>
#include <coroutine>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace carrel::store {
namespace {

// One piece of work and who waits for it. `waiting` is touched on the shard's thread only.
struct Job {
  async::Shard* shard = nullptr;
  std::move_only_function<void()> work;
  std::coroutine_handle<> waiting;
};

}  // namespace

struct IoPool::Impl {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Job>> jobs;
  bool stopping = false;
  std::vector<std::thread> threads;

  void submit(std::shared_ptr<Job> job) {
    {
      const std::lock_guard lock(mutex);
      if (stopping) return;
      jobs.push_back(std::move(job));
    }
    changed.notify_one();
  }

  // Nothing: stop.
  std::shared_ptr<Job> take() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return stopping || !jobs.empty(); });
    if (stopping) return nullptr;
    auto job = std::move(jobs.front());
    jobs.pop_front();
    return job;
  }

  void serve() {
    while (auto job = take()) {
      job->work();
      job->work = nullptr;  // what it owns ends here, not on the shard
      auto& shard = *job->shard;
      shard.submit([job = std::move(job)] {
        if (job->waiting) std::exchange(job->waiting, nullptr).resume();
      });
    }
  }
};

namespace {

struct Waiter {
  std::shared_ptr<Job> job;
  std::move_only_function<void(std::shared_ptr<Job>)> submit;

  Waiter(std::shared_ptr<Job> what, std::move_only_function<void(std::shared_ptr<Job>)> how)
      : job(std::move(what)), submit(std::move(how)) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { job->waiting = nullptr; }  // destroyed while it waits: nobody is resumed

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) {
    job->waiting = caller;
    submit(job);
  }
  void await_resume() const noexcept {}
};

}  // namespace

IoPool::IoPool(unsigned threads) : impl_(std::make_shared<Impl>()) {
  for (unsigned i = 0; i < threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get()] { impl->serve(); });
  }
}

IoPool::~IoPool() { stop(); }

void IoPool::stop() {
  std::deque<std::shared_ptr<Job>> dropped;  // ends outside of the lock
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    dropped.swap(impl_->jobs);
  }
  impl_->changed.notify_all();
  for (auto& thread : impl_->threads) {
    if (thread.joinable()) thread.join();
  }
}

async::Task<void> IoPool::run(async::Shard& shard, std::move_only_function<void()> work) {
  auto job = std::make_shared<Job>();
  job->shard = &shard;
  job->work = std::move(work);
  co_await Waiter(std::move(job), std::bind_front(&Impl::submit, impl_));
}

}  // namespace carrel::store
