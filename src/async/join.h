// join(task): waits for a task that was started before, without owning it.
#pragma once

#include "async/task.h"

namespace carrel::async {

// `task` outlives the wait; one waiter at a time. Destroying the waiting coroutine leaves the task
// running.
inline Task<void> join(Task<void>& task) {
  struct Awaiter {
    Task<void>* task;
    bool suspended = false;
    bool await_ready() const noexcept { return !*task || task->done(); }
    void await_suspend(std::coroutine_handle<> caller) noexcept {
      task->continue_with(caller);
      suspended = true;
    }
    void await_resume() noexcept { suspended = false; }
    ~Awaiter() {
      if (suspended) task->continue_with(std::noop_coroutine());
    }
  };
  co_await Awaiter{.task = &task};
}

}  // namespace carrel::async
