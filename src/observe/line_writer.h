// Writes whole lines to a file or stream from a thread of its own, so that a slow disk or a reader
// that has stopped never holds up a shard.
//
// Lines wait in a bounded queue; when it is full the oldest are dropped and `dropped()` counts
// them. What was queued at destruction is still written, unless the reader of a pipe has stopped.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carrel::observe {

// Owner: the composition root; outlives the logs over it. Thread-safe. Stops: destruction writes
// what is left, and waits a second at most for a reader that does not read.
class LineWriter {
 public:
  // `target`: a path (appended to, made with mode 0640), "-" for standard output, "stderr" for
  // standard error. Errors: io.
  static Result<std::shared_ptr<LineWriter>> open(const std::string& target);
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // `line` without its line feed. Never waits for the target.
  void write(std::string_view line);

  // Opens the path again before the next line: for rotation, which renames the file.
  void reopen();

  std::uint64_t dropped() const;

 private:
  struct Impl;
  explicit LineWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::observe
