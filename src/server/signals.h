// Signals as something to wait for: the thread that runs the server takes them, no handler
// interrupts anyone.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "base/result.h"

namespace carrel::server {

enum class Wake { stop, reload, changed, quiet };

// Blocks SIGTERM, SIGINT and SIGHUP for this thread and those it starts later, and ignores SIGPIPE.
// Owner and thread: the thread that runs the server, before it starts others. Stops: destruction
// puts the signal mask back.
class Signals {
 public:
  // Errors: io.
  static Result<std::unique_ptr<Signals>> take();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Lets SIGTERM and SIGINT end the process for as long as it lives: for work before there is
  // anything to finish.
  class Through {
   public:
    Through();
    ~Through();
    Through(const Through&) = delete;
    Through& operator=(const Through&) = delete;
  };

  // The next signal, or `changed` when `watched` (a descriptor, -1: none) is readable, or `quiet`
  // after this time (negative: never).
  Wake wait(int watched, std::chrono::milliseconds longest);

  // A second SIGTERM or SIGINT within the time.
  bool stop_within(std::chrono::milliseconds time);

 private:
  struct Impl;
  explicit Signals(std::unique_ptr<Impl> impl);
  std::optional<Wake> take_one();
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::server
