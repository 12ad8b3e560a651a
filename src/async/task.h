// Task<T>: a coroutine that starts when it is awaited and hands its result to who awaits it.
//
// Owner: whoever holds the Task; destroying an unfinished one destroys the coroutine's frame and
// everything it holds, which is how work is cancelled. Thread: one shard for life. Parameters are
// taken by value or as owning handles; no lambda captures.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace carrel::async {

template <typename T = void>
class Task;

namespace detail {

struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
    return self.promise().continuation;
  }
  void await_resume() const noexcept {}
};

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  // Our code does not throw; a library's exception that gets here is a bug of the call site.
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
};

template <typename T>
struct Promise final : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <typename U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() { return std::move(*value); }
};

template <>
struct Promise<void> final : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void take() const noexcept {}
};

}  // namespace detail

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;

  Task() = default;
  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (frame_) frame_.destroy();
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  explicit operator bool() const { return frame_ != nullptr; }
  bool done() const { return frame_ && frame_.done(); }

  auto operator co_await() noexcept {
    struct Awaiter {
      std::coroutine_handle<promise_type> frame;
      bool await_ready() const noexcept { return frame.done(); }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) const noexcept {
        frame.promise().continuation = caller;
        return frame;
      }
      T await_resume() const { return frame.promise().take(); }
    };
    return Awaiter{frame_};
  }

  // Starts without waiting; the caller keeps the Task. At most once, and not together with
  // co_await.
  void start() { frame_.resume(); }
  void continue_with(std::coroutine_handle<> next) { frame_.promise().continuation = next; }
  // Waits for one that was started. It outlives the wait.
  auto end() noexcept {
    struct Awaiter {
      Task* task;
      bool await_ready() const noexcept { return task->done(); }
      void await_suspend(std::coroutine_handle<> caller) const noexcept {
        task->continue_with(caller);
      }
      void await_resume() const noexcept {}
    };
    return Awaiter{this};
  }

 private:
  std::coroutine_handle<promise_type> frame_ = nullptr;
};

namespace detail {

template <typename T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

}  // namespace detail

// Waits for one that was started, as `Task::end` does.
template <typename T>
Task<void> end_of(Task<T>* task) {
  co_await task->end();
}

// Runs a task to its end with nobody waiting. Use through Gate::spawn, so that stopping can wait
// for it.
inline detail::Detached detach(Task<void> task) { co_await std::move(task); }

}  // namespace carrel::async
