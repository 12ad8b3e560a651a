// Event: one coroutine waits, another part of the same shard signals.
//
// A signal without a waiter is remembered once. Owner: any object of the shard; must outlive the
// waiter or be signalled before it goes. Thread: its shard only.
#pragma once

#include <coroutine>
#include <utility>

namespace carrel::async {

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Resumes the waiter at once, on the caller's stack.
  void signal() {
    if (auto waiter = std::exchange(waiter_, nullptr)) {
      waiter.resume();
    } else {
      signalled_ = true;
    }
  }
  void reset() { signalled_ = false; }
  bool waiting() const { return waiter_ != nullptr; }

  // One waiter at a time. Destroying the waiting coroutine forgets it.
  auto operator co_await() noexcept {
    struct Awaiter {
      Event* event;
      bool suspended = false;
      bool await_ready() const noexcept { return std::exchange(event->signalled_, false); }
      void await_suspend(std::coroutine_handle<> caller) noexcept {
        event->waiter_ = caller;
        suspended = true;
      }
      void await_resume() noexcept { suspended = false; }
      ~Awaiter() {
        if (suspended) event->waiter_ = nullptr;
      }
    };
    return Awaiter{this};
  }

 private:
  std::coroutine_handle<> waiter_ = nullptr;
  bool signalled_ = false;
};

}  // namespace carrel::async
