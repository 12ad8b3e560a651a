// Readiness of a descriptor that others may share: standard streams, above all.
//
// Its flags are left alone (a terminal set to non-blocking would stay so for the shell that started
// us), and every kind works: what the kernel cannot wait for, such as a regular file, is always
// ready.
#pragma once

#include <memory>

#include "async/shard.h"
#include "async/task.h"
#include "base/result.h"

namespace carrel::async {

enum class Direction : unsigned char { read, write };

// Owner: whoever reads or writes; the descriptor stays theirs and outlives it. Thread: its shard.
// Stops: destroying a waiting coroutine cancels the wait.
class Readiness {
 public:
  // Errors: io.
  static Result<std::unique_ptr<Readiness>> of(Shard& shard, int fd, Direction direction);
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // True when one read, or one write of a page, would not wait. Ends and errors count as ready.
  bool now() const;

  // Returns when `now()` may have become true.
  Task<void> wait();

 private:
  struct Impl;
  explicit Readiness(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::async
