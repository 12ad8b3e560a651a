// A shard: one thread's share of the server. Everything that lives on a shard is touched by its
// thread only.
//
// Shards share immutable things and talk by `submit`. A shard is an executor: the server gives it a
// pinned thread, the command line and tests lend it their own.
//
// Owner: the composition root; outlives everything that runs on it. Thread: `submit` and `stop`
// from any, the rest from the shard's own. Stops: `stop()` makes `run()` return after the current
// step.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "async/run_queue.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"

namespace boost::asio {
class io_context;
}

namespace carrel::async {

class Shard {
 public:
  explicit Shard(unsigned index = 0);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  unsigned index() const { return index_; }

  // Serves events and runs guests' slices until `stop()`. `pin` names a processor for the calling
  // thread.
  void run(std::optional<unsigned> pin = std::nullopt);
  void stop();

  // Runs `work` on the shard's thread, in order of submission.
  void submit(std::move_only_function<void()> work);

  // Runs `task` to its end on the calling thread; for the command line and tests, in place of
  // `run()`.
  void run_until_done(Task<void> task);

  // Destroying the awaiting coroutine cancels the timer.
  Task<void> sleep_until(Instant when);
  Task<void> sleep_for(Nanos duration);

  // Where guests that yielded wait for their next slice.
  RunQueue& run_queue() { return run_queue_; }
  const RunQueue& run_queue() const { return run_queue_; }

  boost::asio::io_context& io();

  // While one exists, another thread's answer is due within some tens of microseconds, and the
  // shard looks out for it before it sleeps (base/look_out.h). Thread: the shard's own.
  class Soon {
   public:
    explicit Soon(Shard& shard) : shard_(shard) { ++shard_.due_soon_; }
    ~Soon() { --shard_.due_soon_; }
    Soon(const Soon&) = delete;
    Soon& operator=(const Soon&) = delete;

   private:
    Shard& shard_;
  };

 private:
  struct Impl;
  void step();

  unsigned index_;
  RunQueue run_queue_;
  std::size_t due_soon_ = 0;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::async
