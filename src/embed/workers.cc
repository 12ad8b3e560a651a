#include "embed/workers.h"

#include <pthread.h>

#include <system_error>
#include <thread>

#include "embed/signals.h"

namespace carrel::embed {

bool Workers::submit(std::move_only_function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kMostWaiting) return false;
  if (waiting_.size() >= idle_ && threads_ < kMostThreads) {
    const SignalsBlocked blocked;
    try {
      std::thread([this] { run(); }).detach();
      ++threads_;
    } catch (const std::system_error&) {
      if (threads_ == 0) throw;
    }
  }
  waiting_.push_back(std::move(work));
  wake_.notify_one();
  return true;
}

void Workers::run() {
  ::pthread_setname_np(::pthread_self(), "carrel");
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return !waiting_.empty(); });
    --idle_;
    auto work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

}  // namespace carrel::embed
