// libcarrel in C++17: the functions of carrel.h with owners, exceptions and std::function.
//
//   carrel::Application shop("shop/");
//   shop.provide("stock", [](std::string_view sku) { return stock_of(sku); });
//   std::string discount = shop.call("cart.discounts", cart_json);
//
// Header only: the library's ABI is that of carrel.h. Threads: as there; an Application may be used
// by any number at a time, but is moved and destroyed by one.
#ifndef CARREL_CARREL_HPP
#define CARREL_CARREL_HPP

#include <carrel/carrel.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace carrel {

// What went wrong: a stable name, a message, what to do, and details as JSON (carrel.h).
class Failure : public std::runtime_error {
 public:
  // Takes `error`.
  explicit Failure(carrel_error* error)
      : std::runtime_error(carrel_error_message(error)),
        code_(carrel_error_code(error)),
        help_(carrel_error_help(error)),
        details_(carrel_error_details(error, nullptr)) {
    carrel_error_free(error);
  }
  const std::string& code() const { return code_; }
  const std::string& help() const { return help_; }
  const std::string& details() const { return details_; }

 private:
  std::string code_, help_, details_;
};

// What a point answered.
class Reply {
 public:
  explicit Reply(carrel_reply* reply) : reply_(reply, carrel_reply_free) {}
  std::string_view output() const {
    size_t size = 0;
    const char* const text = carrel_reply_output(reply_.get(), &size);
    return {text, size};
  }
  std::string_view details() const {
    size_t size = 0;
    const char* const text = carrel_reply_details(reply_.get(), &size);
    return {text, size};
  }

 private:
  std::unique_ptr<carrel_reply, void (*)(carrel_reply*)> reply_;
};

// For whom a point is called, and how long its caller waits; left out: all, and the point's own.
struct CallOptions {
  std::string tenant{};
  std::chrono::milliseconds timeout{0};
};

struct FunctionOptions {
  std::string schema{};  // JSON Schema of the input; empty: any JSON
  std::chrono::milliseconds timeout{0};
  unsigned rate = 0;
};

class Application {
 public:
  // Exactly one of the two is there.
  using Done = std::function<void(const Failure*, const Reply*)>;
  // JSON to JSON. What it throws fails the call.
  using Function = std::function<std::string(std::string_view input)>;

  explicit Application(const std::string& where) {
    check(carrel_open(where.c_str(), nullptr, &handle_));
  }
  Application(const std::string& where, const carrel_open_options& options) {
    check(carrel_open(where.c_str(), &options, &handle_));
  }
  Application(Application&& other) noexcept : handle_(std::exchange(other.handle_, 0)) {}
  Application& operator=(Application&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Application() {
    if (handle_ != 0) carrel_error_free(carrel_close(handle_));
  }

  carrel_handle handle() const { return handle_; }

  Reply ask(const std::string& point, std::string_view input,
            const CallOptions& options = {}) const {
    const carrel_call_options more = as_c(options);
    carrel_reply* reply = nullptr;
    check(carrel_call(handle_, point.c_str(), input.data(), input.size(), &more, &reply));
    return Reply(reply);
  }
  // The output alone.
  std::string call(const std::string& point, std::string_view input,
                   const CallOptions& options = {}) const {
    return std::string(ask(point, input, options).output());
  }

  // `done` is called once, by a thread of the library, and must not throw.
  void call_async(const std::string& point, std::string_view input, Done done,
                  const CallOptions& options = {}) const {
    const carrel_call_options more = as_c(options);
    auto kept = std::make_unique<Done>(std::move(done));
    check(carrel_call_async(handle_, point.c_str(), input.data(), input.size(), &more,
                            &Application::deliver, kept.get()));
    static_cast<void>(kept.release());
  }

  // Tells a point of an event, which is on the disk when it returns: {"id", "deliveries"}.
  std::string emit(const std::string& point, std::string_view event,
                   const CallOptions& options = {}) const {
    const carrel_call_options more = as_c(options);
    carrel_reply* reply = nullptr;
    check(carrel_emit(handle_, point.c_str(), event.data(), event.size(), &more, &reply));
    return std::string(Reply(reply).output());
  }

  void provide(const std::string& name, Function function,
               const FunctionOptions& options = {}) const {
    auto kept = std::make_unique<Function>(std::move(function));
    carrel_function_options more = CARREL_FUNCTION_OPTIONS;
    more.timeout_ms = static_cast<uint32_t>(options.timeout.count());
    more.rate = options.rate;
    more.release = [](void* user) { delete static_cast<Function*>(user); };
    check(carrel_provide(handle_, name.c_str(),
                         options.schema.empty() ? nullptr : options.schema.c_str(),
                         &Application::answer, kept.get(), &more));
    static_cast<void>(kept.release());
  }

  // The points, as JSON.
  std::string points() const {
    carrel_reply* reply = nullptr;
    check(carrel_points(handle_, &reply));
    return std::string(Reply(reply).output());
  }

  // Refuses new calls and waits for those in progress; throws a Failure "late".
  void drain(std::chrono::milliseconds timeout) const {
    check(carrel_drain(handle_, static_cast<uint32_t>(timeout.count())));
  }

 private:
  static void check(carrel_error* error) {
    if (error != nullptr) throw Failure(error);
  }
  static carrel_call_options as_c(const CallOptions& options) {
    carrel_call_options more = CARREL_CALL_OPTIONS;
    if (!options.tenant.empty()) more.tenant = options.tenant.c_str();
    more.timeout_ms = static_cast<uint32_t>(options.timeout.count());
    return more;
  }
  static void deliver(void* user, carrel_error* error, carrel_reply* reply) {
    const std::unique_ptr<Done> done(static_cast<Done*>(user));
    if (error != nullptr) {
      const Failure failure(error);
      (*done)(&failure, nullptr);
    } else {
      const Reply made(reply);
      (*done)(nullptr, &made);
    }
  }
  static void answer(void* user, carrel_function_call call, const char* input, size_t size) {
    try {
      const std::string output = (*static_cast<Function*>(user))({input, size});
      carrel_answer(call, output.data(), output.size());
    } catch (const std::exception& thrown) {
      carrel_refuse(call, thrown.what());
    } catch (...) {
      carrel_refuse(call, "it threw");
    }
  }

  carrel_handle handle_ = 0;
};

}  // namespace carrel

#endif
