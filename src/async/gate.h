// Gate: counts work in progress, so that stopping can refuse new work and wait for the old.
//
// Owner: the object whose work it counts. Thread: one shard. Stops: `close()` returns once all have
// left.
#pragma once

#include <cstddef>
#include <utility>

#include "async/event.h"
#include "async/task.h"

namespace carrel::async {

class Gate {
 public:
  // Held while the work goes on.
  class [[nodiscard]] Pass {
   public:
    Pass() = default;
    explicit Pass(Gate* gate) : gate_(gate) { ++gate_->inside_; }
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      leave();
      gate_ = std::exchange(other.gate_, nullptr);
      return *this;
    }
    ~Pass() { leave(); }

   private:
    void leave() {
      if (auto* gate = std::exchange(gate_, nullptr)) {
        if (--gate->inside_ == 0 && gate->closed_) gate->empty_.signal();
      }
    }
    Gate* gate_ = nullptr;
  };

  bool closed() const { return closed_; }
  std::size_t inside() const { return inside_; }
  Pass enter() { return Pass(this); }

  // Runs `task` to its end, counted.
  void spawn(Task<void> task) { detach(hold(enter(), std::move(task))); }

  void refuse() { closed_ = true; }
  Task<void> close() {
    closed_ = true;
    while (inside_ > 0) co_await empty_;
  }

 private:
  static Task<void> hold(Pass pass, Task<void> task) {
    co_await std::move(task);
    (void)pass;
  }

  std::size_t inside_ = 0;
  bool closed_ = false;
  Event empty_;
};

}  // namespace carrel::async
