// Questions that block, asked aside: each on a thread of its own that nobody waits for, neither the
// shard nor the end of the process.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "async/shard.h"
#include "async/task.h"
#include "base/result.h"

namespace carrel::net {

// Owner: who asks. Thread: its shard. Stops: destroying a waiting task forgets the question; it
// must itself go before its shard.
template <typename T>
class Aside {
 public:
  static constexpr int kMostQuestions = 256;  // at once

  explicit Aside(async::Shard& shard) : link_(std::make_shared<Link>(&shard)) {}
  ~Aside() {
    const std::lock_guard lock(link_->mutex);
    link_->shard = nullptr;
  }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  // What the question gives; it owns all it needs. Errors: its own; unavailable when there is no
  // room for one more.
  async::Task<Result<T>> ask(std::function<Result<T>()> question) {
    if (link_->questions >= kMostQuestions)
      co_return fail(Code::unavailable, "too many questions are being asked");
    auto asked = std::make_shared<Asked>();
    try {
      std::thread(run, link_, asked, std::move(question)).detach();
    } catch (const std::system_error&) {
      co_return fail(Code::unavailable, "there is no room for one more thread");
    }
    ++link_->questions;
    Awaiter awaiter{asked};
    co_await awaiter;
    co_return std::move(*asked->answer);
  }

 private:
  // A question and who waits for its answer. Touched by the shard only.
  struct Asked {
    std::coroutine_handle<> waiter = nullptr;
    std::optional<Result<T>> answer;
  };
  // What a thread knows of who asked, who may be gone by the time there is an answer.
  struct Link {
    explicit Link(async::Shard* s) : shard(s) {}
    std::mutex mutex;
    async::Shard* shard;
    int questions = 0;  // the shard's
  };
  struct Awaiter {
    std::shared_ptr<Asked> asked;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) const noexcept { asked->waiter = caller; }
    void await_resume() const noexcept {}
    ~Awaiter() { asked->waiter = nullptr; }
  };

  static void run(std::shared_ptr<Link> link, std::shared_ptr<Asked> asked,
                  const std::function<Result<T>()>& question) {
    Result<T> answer = question();
    Link& self = *link;
    const std::lock_guard lock(self.mutex);
    if (self.shard == nullptr) return;
    self.shard->submit(
        [link = std::move(link), asked = std::move(asked), answer = std::move(answer)]() mutable {
          --link->questions;
          asked->answer = std::move(answer);
          if (asked->waiter) asked->waiter.resume();
        });
  }

  std::shared_ptr<Link> link_;
};

}  // namespace carrel::net
