// SharedTask: work that goes on by itself, and whose end any number of coroutines may wait for.
//
// Giving up such a wait leaves the work alone. Owner: the object whose work it is; its end cancels
// the work, and nobody is woken. Thread: one shard.
#pragma once

#include <coroutine>
#include <utility>

#include "async/bell.h"
#include "async/task.h"

namespace carrel::async {

class SharedTask {
 public:
  SharedTask() = default;
  SharedTask(const SharedTask&) = delete;
  SharedTask& operator=(const SharedTask&) = delete;

  // Precondition: none is running.
  void begin(Task<void> task) {
    done_ = false;
    task_ = run(this, std::move(task));
    task_.start();
  }
  // Puts it away, ended or not. Who waited for it goes on.
  void put_away() {
    task_ = {};
    ended_.ring();
  }

  explicit operator bool() const { return static_cast<bool>(task_); }  // begun, not put away
  bool done() const { return task_ && done_; }
  bool running() const { return task_ && !done_; }

  // This outlives the wait, or ends it for good.
  static Task<void> end_of(SharedTask* shared) {
    if (shared->running()) co_await shared->ended_;
  }

 private:
  // Who is woken may put the work away, so its frame is suspended by then.
  struct Tell {
    Bell* bell;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept { bell->ring(); }
    void await_resume() const noexcept {}
  };
  static Task<void> run(SharedTask* self, Task<void> task) {
    co_await std::move(task);
    self->done_ = true;
    co_await Tell{&self->ended_};
  }

  Task<void> task_;
  bool done_ = false;
  Bell ended_;
};

}  // namespace carrel::async
