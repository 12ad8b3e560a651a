// The whole terminal, for as long as a command shows what changes.
#pragma once

#include <termios.h>

#include <chrono>
#include <utility>

#include "base/result.h"
#include "cli/top_screen.h"

namespace carrel::cli {

// Owner and thread: the command's; one at a time. Stops: destruction gives the terminal back as it
// was, also after SIGINT, SIGTERM and SIGHUP, which `wait` reports.
class LiveScreen {
 public:
  // Errors: unsupported: standard input and output are no terminal.
  static Result<LiveScreen> take();
  LiveScreen(LiveScreen&& other) noexcept;
  LiveScreen& operator=(LiveScreen&&) = delete;
  ~LiveScreen();

  ScreenSize size() const;

  enum class Wake : unsigned char { time, key, resized, end };
  struct Woken {
    Wake why;
    char key = 0;
  };
  // Returns when a key is there, the size has changed, somebody wants it to end, or time is over.
  Woken wait(std::chrono::milliseconds longest);

 private:
  explicit LiveScreen(const termios& before);
  termios before_;
  bool mine_ = true;
};

}  // namespace carrel::cli
