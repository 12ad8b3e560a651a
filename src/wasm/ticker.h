// The ticker: advances the engines' epochs every millisecond while any guest runs, so that every
// guest is interrupted at its next loop or call. It rests when no guest has run for a while: an
// idle process uses no processor.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

struct wasm_engine_t;

namespace carrel::wasm {

// Owner: the Engine. Thread: any. Stops: destruction joins its thread.
class Ticker {
 public:
  static constexpr std::chrono::milliseconds kEvery{1};

  explicit Ticker(wasm_engine_t* engine) : thread_([this, engine] { tick(engine); }) {}
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // One more engine, which outlives the ticker. At most once.
  void also(wasm_engine_t* engine) { other_.store(engine); }

  // Around each slice of a guest. `lane` spreads the counters: the shard's index.
  void enter(unsigned lane) {
    lanes_[lane % kLanes].running.fetch_add(1);
    if (resting_.load()) wake_up();
  }
  void leave(unsigned lane) {
    lanes_[lane % kLanes].running.fetch_sub(1, std::memory_order_release);
  }

  bool resting() const { return resting_.load(); }

 private:
  static constexpr unsigned kLanes = 16;
  struct alignas(64) Lane {
    std::atomic<std::int32_t> running = 0;
  };

  void tick(wasm_engine_t* engine);
  void rest(std::unique_lock<std::mutex>& lock);
  void wake_up();
  bool any_running() const;

  std::array<Lane, kLanes> lanes_;
  std::atomic<bool> resting_ = false;
  std::atomic<wasm_engine_t*> other_ = nullptr;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;  // last: the thread uses all of the above
};

}  // namespace carrel::wasm
