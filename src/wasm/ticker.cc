#include "wasm/ticker.h"

#include <carrel/engine.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace carrel::wasm {
namespace {

constexpr int kTicksBeforeRest = 200;

// A late tick is a late neighbour: ask for short slices and early service. Best effort, an ordinary
// user may be refused, an old kernel ignores it.
void ask_for_early_service() {
  struct {
    std::uint32_t size = sizeof(*this), policy = SCHED_OTHER;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 100'000, deadline = 0, period = 0;  // nanoseconds
  } attributes;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), -10);
}

}  // namespace

Ticker::~Ticker() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool Ticker::any_running() const {
  return std::ranges::any_of(lanes_, [](const Lane& lane) { return lane.running.load() != 0; });
}

void Ticker::tick(wasm_engine_t* engine) {
  ask_for_early_service();
  int quiet = 0;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, kEvery, [this] { return stopping_; });
    wasmtime_engine_increment_epoch(engine);
    if (wasm_engine_t* const other = other_.load()) wasmtime_engine_increment_epoch(other);
    quiet = any_running() ? 0 : quiet + 1;
    if (quiet >= kTicksBeforeRest) {
      rest(lock);
      quiet = 0;
    }
  }
}

// A guest either counts itself before `resting_` is set, and is seen here, or sees `resting_` and
// wakes us.
void Ticker::rest(std::unique_lock<std::mutex>& lock) {
  resting_.store(true);
  if (!any_running()) wake_.wait(lock, [this] { return stopping_ || !resting_.load(); });
  resting_.store(false);
}

void Ticker::wake_up() {
  {
    std::lock_guard lock(mutex_);
    resting_.store(false);
  }
  wake_.notify_one();
}

}  // namespace carrel::wasm
