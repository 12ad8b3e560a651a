// Shelter: runs tasks to their ends even when who waits for them goes.
//
// For work that may not stop half-way: a commit, and what must follow it.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <utility>

#include "async/event.h"
#include "async/task.h"

namespace carrel::async {

// Owner: the object whose work it is; its end cancels what is left. Thread: one shard.
class Shelter {
 public:
  Shelter() = default;
  Shelter(const Shelter&) = delete;
  Shelter& operator=(const Shelter&) = delete;

  // `task` owns all it needs but what outlives the shelter: it goes on when the caller is
  // destroyed.
  template <typename T>
  Task<T> run(Task<T> task) {
    tasks_.remove_if([](const Task<void>& each) { return each.done(); });
    const auto outcome = std::make_shared<Outcome<T>>();
    tasks_.push_back(keep(std::move(task), outcome));
    tasks_.back().start();
    if (!outcome->value) co_await outcome->there;
    co_return std::move(*outcome->value);
  }

 private:
  template <typename T>
  struct Outcome {
    std::optional<T> value;
    Event there;
  };
  template <typename T>
  static Task<void> keep(Task<T> task, std::shared_ptr<Outcome<T>> outcome) {
    outcome->value.emplace(co_await std::move(task));
    outcome->there.signal();
  }

  std::list<Task<void>> tasks_;
};

}  // namespace carrel::async
