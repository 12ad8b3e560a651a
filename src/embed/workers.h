// Workers: the library's own threads, for calls that their callers do not wait for.
//
// A call has its thread to its end. There are as many threads as calls have run at once, within a
// bound, since a call whose function of the application answers later holds its thread without
// using it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace carrel::embed {

// Owner: the core, for ever: its threads are never joined. Thread-safe.
class Workers {
 public:
  static constexpr unsigned kMostThreads = 32;
  static constexpr std::size_t kMostWaiting = 4096;

  // False: too much waits already. The threads block all signals. Throws std::system_error when
  // there is no thread at all.
  bool submit(std::move_only_function<void()> work);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::move_only_function<void()>> waiting_;
  unsigned threads_ = 0, idle_ = 0;
};

}  // namespace carrel::embed
