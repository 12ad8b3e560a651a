// first_of(a, b): runs two tasks side by side until one of them ends; the other is cancelled.
#pragma once

#include "async/task.h"

namespace carrel::async {

// 0 when `first` ended, 1 when `second` did. Both frames are destroyed before this returns.
inline Task<int> first_of(Task<void> first, Task<void> second) {
  struct Awaiter {
    Task<void>* tasks[2];
    bool await_ready() const noexcept { return false; }
    // A task that ends at once must not resume us from inside its own start. Starting one may end
    // another.
    bool await_suspend(std::coroutine_handle<> caller) const {
      for (Task<void>* task : tasks) {
        task->start();
        if (tasks[0]->done() || tasks[1]->done()) return false;
      }
      for (Task<void>* task : tasks) task->continue_with(caller);
      return true;
    }
    int await_resume() const noexcept { return tasks[0]->done() ? 0 : 1; }
  };
  co_return co_await Awaiter{{&first, &second}};
}

}  // namespace carrel::async
