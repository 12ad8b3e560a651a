// pause(shard): lets everything else that is ready on the shard have its turn first.
//
// For loops whose every step could be done at once: a body that is always there, a client that
// takes all it is sent.
#pragma once

#include <coroutine>
#include <memory>

#include "async/shard.h"

namespace carrel::async {

// Awaited once. Destroying the awaiting coroutine takes it back.
class Pause {
 public:
  explicit Pause(Shard& shard) : shard_(shard) {}
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
  ~Pause() {
    if (wanted_) *wanted_ = false;
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) {
    wanted_ = std::make_shared<bool>(true);
    shard_.submit([caller, wanted = wanted_] {
      if (*wanted) caller.resume();
    });
  }
  void await_resume() const noexcept {}

 private:
  Shard& shard_;
  std::shared_ptr<bool> wanted_;
};

inline Pause pause(Shard& shard) { return Pause(shard); }

}  // namespace carrel::async
