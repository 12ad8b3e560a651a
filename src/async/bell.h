// Bell: any number of coroutines wait, another part of the same shard wakes all of them.
//
// It remembers nothing: who waits has looked before. Owner: any object of the shard; it may go
// first, and then nobody is woken any more. Thread: its shard only.
#pragma once

#include <coroutine>
#include <utility>

namespace carrel::async {

class Bell {
  // In a ring, by itself at first. Takes itself out when it goes.
  struct Link {
    Link* before = this;
    Link* after = this;
    Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() { take_out(); }
    bool alone() const { return after == this; }
    void take_out() {
      before->after = after;
      after->before = before;
      before = after = this;
    }
    void put_before(Link& next) {
      before = next.before;
      after = &next;
      before->after = next.before = this;
    }
  };

 public:
  // Resumes who waits now, on the caller's stack, the first of them first. Who is resumed may
  // destroy others that wait, and this as well.
  void ring() {
    Link all;
    all.put_before(waiting_);
    waiting_.take_out();
    while (!all.alone()) {
      auto& first = static_cast<Awaiter&>(*all.after);
      first.take_out();
      first.waiter.resume();
    }
  }
  bool waiting() const { return !waiting_.alone(); }

  // Destroying the waiting coroutine forgets it.
  auto operator co_await() noexcept { return Awaiter(&waiting_); }

 private:
  struct Awaiter : Link {
    Link* line;
    std::coroutine_handle<> waiter = nullptr;
    explicit Awaiter(Link* all) : line(all) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) noexcept {
      waiter = caller;
      this->put_before(*line);
    }
    void await_resume() const noexcept {}
  };
  Link waiting_;
};

}  // namespace carrel::async
