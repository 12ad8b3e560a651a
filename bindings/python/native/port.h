// What the library's threads have for an event loop.
//
// They never touch the interpreter: they post an item and wake the loop through a file descriptor,
// and the loop's thread takes it. So a thread of the library waits for no GIL, and is in nobody's
// way while Python ends.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "python.h"

namespace carrel::python {

class Port;

// A function that the application provides. Owner: the library, and items under way.
struct Function {
  PyObject* callable;

  explicit Function(PyObject* given) : callable(Py_NewRef(given)) {}
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;
  ~Function() { let_go_later(callable); }
};

// Who made a call of a point: what the call's context is.
struct Caller {
  PyThreadState* state = nullptr;  // of the thread that waits inside of it, without the GIL; or
  PyObject* waiter = nullptr;      // what waits on a loop: ours
  std::shared_ptr<Port> port;      // of that loop
  Object raised;                   // what a function raised that is nothing to answer with

  Caller() = default;
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller() {
    if (waiter != nullptr) let_go_later(waiter);
  }
};

// A call is done, or a function is called in its course. The latter come before the former.
struct Item {
  std::unique_ptr<Caller> done;
  carrel_error* error = nullptr;
  carrel_reply* reply = nullptr;

  PyObject* waiter = nullptr;  // of the call that the function is called in
  std::shared_ptr<Function> function;
  carrel_function_call call = 0;
  std::string input;

  Item() = default;
  Item(Item&& other) noexcept
      : done(std::move(other.done)),
        error(std::exchange(other.error, nullptr)),
        reply(std::exchange(other.reply, nullptr)),
        waiter(other.waiter),
        function(std::move(other.function)),
        call(other.call),
        input(std::move(other.input)) {}
  Item& operator=(Item&&) = delete;
  ~Item() {
    carrel_error_free(error);
    carrel_reply_free(reply);
  }
};

// Owner: the loop's object, and the calls under way. Thread-safe. Once closed, what is posted is
// dropped.
class Port {
 public:
  static std::shared_ptr<Port> make();  // null: an exception is set
  explicit Port(int fd) : fd_(fd) {}
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port();

  int fd() const { return fd_; }
  void post(Item item);
  std::deque<Item> take();
  void close();

 private:
  int fd_;
  std::mutex mutex_;
  bool closed_ = false;
  std::deque<Item> items_;
};

// The type of the object that Python has of a port: fileno(), and take(), a list of
// (waiter, None, exception or None, output) and (waiter, function, call, input).
PyObject* make_port_type();  // null: an exception is set
std::shared_ptr<Port> port_of(PyObject* object);

}  // namespace carrel::python
