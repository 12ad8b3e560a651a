// The I/O pool: a few threads for reads that are not in memory, and for other work that blocks.
#pragma once

#include <functional>
#include <memory>

#include "async/shard.h"
#include "async/task.h"

namespace carrel::store {

// Owner: the Store. Thread-safe. Stops: `stop` finishes what was begun and drops the rest; from
// then on the pool touches no shard, and who waits in `run` waits until it is destroyed.
class IoPool {
 public:
  explicit IoPool(unsigned threads);
  ~IoPool();
  IoPool(const IoPool&) = delete;
  IoPool& operator=(const IoPool&) = delete;

  // Runs `work` on a thread of the pool; returns on `shard` when it is done. Destroying the waiting
  // coroutine leaves the work to end by itself: it must own what it touches.
  async::Task<void> run(async::Shard& shard, std::move_only_function<void()> work);

  // Before the shards go. Once is enough; destruction does it too.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace carrel::store
