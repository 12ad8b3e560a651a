// any_of(tasks): runs tasks side by side until one of them ends; the others are cancelled.
#pragma once

#include <cstddef>
#include <vector>

#include "async/task.h"

namespace carrel::async {

// The number of one that has ended. All frames are destroyed before this returns. Precondition: not
// empty.
inline Task<std::size_t> any_of(std::vector<Task<void>> tasks) {
  struct Awaiter {
    std::vector<Task<void>>* tasks;
    bool await_ready() const noexcept { return false; }
    // A task that ends at once must not resume us from inside its own start. Starting one may end
    // another.
    bool await_suspend(std::coroutine_handle<> caller) const {
      for (Task<void>& task : *tasks) {
        task.start();
        if (task.done()) return false;
      }
      for (Task<void>& task : *tasks) {
        if (task.done()) return false;
      }
      for (Task<void>& task : *tasks) task.continue_with(caller);
      return true;
    }
    std::size_t await_resume() const noexcept {
      std::size_t i = 0;
      while (!(*tasks)[i].done()) ++i;
      return i;
    }
  };
  const std::size_t ended = co_await Awaiter{&tasks};
  tasks.clear();
  co_return ended;
}

}  // namespace carrel::async
