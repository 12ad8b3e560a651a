// What threads have for one event loop: Node's main thread, or a worker of its own.
//
// Threads of the library never touch JavaScript: they post here, which wakes the loop, and it takes
// what is there. Once the loop has ended, what is posted is dropped.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "node.h"

namespace carrel::node {

class Port;

// A reference that any thread may drop.
class Kept {
 public:
  Kept(std::shared_ptr<Port> port, napi_value value);  // on the loop
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  ~Kept();
  napi_value value() const;  // on the loop
  const std::shared_ptr<Port>& port() const { return port_; }

 private:
  std::shared_ptr<Port> port_;
  napi_ref reference_ = nullptr;
};

// Who made a call of a point: what the call's context is.
struct Caller {
  std::shared_ptr<Port> port;
  std::shared_ptr<Kept> waiter;  // null: the loop itself waits, inside of the call
};

// A call is done, or a function is called in its course. The latter come before the former.
struct Item {
  std::shared_ptr<Kept> waiter;
  carrel_error* error = nullptr;
  carrel_reply* reply = nullptr;
  std::shared_ptr<Kept> function;
  carrel_function_call call = 0;
  std::string input;

  Item() = default;
  Item(Item&& other) noexcept
      : waiter(std::move(other.waiter)),
        error(std::exchange(other.error, nullptr)),
        reply(std::exchange(other.reply, nullptr)),
        function(std::move(other.function)),
        call(other.call),
        input(std::move(other.input)) {}
  Item& operator=(Item&&) = delete;
  ~Item() {
    carrel_error_free(error);
    carrel_reply_free(reply);
  }
};

// Owner: the environment, and everything that may post. "Loop": its thread only.
class Port : public std::enable_shared_from_this<Port> {
 public:
  // Loop. `deliver` is called there with (waiter, exception or undefined, output) and
  // (waiter, function, call, input); `fail` makes exceptions.
  static std::shared_ptr<Port> make(napi_env env, napi_value deliver, napi_value fail);
  static const std::shared_ptr<Port>& of(napi_env env);  // loop; null: not made

  void post(Item item);
  void log(napi_ref callable, const char* line, size_t size);
  void let_go_later(napi_ref reference);

  // Loop: calls under way keep the process from ending by itself.
  void begin_call();
  // Loop: tells the lines of logs, and lets go of references.
  void settle();
  // Loop: the exception for `error`, which is freed; throws it.
  napi_value failure_of(carrel_error* error);
  napi_value raise(carrel_error* error);

  napi_env env() const { return env_; }

 private:
  static void take(napi_env env, napi_value, void*, void*);
  static void close(void* port);
  void deliver(Item& item);
  void end_call();

  napi_env env_ = nullptr;
  napi_ref deliver_ = nullptr, fail_ = nullptr;
  napi_threadsafe_function wake_ = nullptr;
  unsigned under_way_ = 0;

  std::mutex mutex_;
  bool closed_ = false;
  std::deque<Item> items_;
  std::vector<std::pair<napi_ref, std::string>> lines_;
  std::vector<napi_ref> references_;
};

}  // namespace carrel::node
