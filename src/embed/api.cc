// The C functions: arguments are looked at, nothing is thrown to the caller.
#include <carrel/carrel.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>

#include "base/files.h"
#include "embed/call.h"
#include "embed/world.h"
#include "patterns/hook/report.h"
#include "wasm/compile_child.h"

using carrel::Code;
using carrel::Error;
using carrel::embed::Application;
using carrel::embed::Failure;
using carrel::embed::Outcome;
using carrel::embed::World;

struct carrel_error {
  Failure failure;
};

struct carrel_reply : carrel::embed::Reply {};

namespace {

// Of which there is always one, and which is never freed.
carrel_error* no_memory() {
  static carrel_error* const error = new carrel_error{
      Failure("internal", "there is no memory", "close handles, or make room for the process")};
  return error;
}

// What `work` has to say, and nothing that it throws.
template <typename Work>
carrel_error* guarded(Work&& work) noexcept {
  carrel_error* const reserve = no_memory();
  try {
    try {
      Outcome<> done = work();
      return done ? nullptr : new carrel_error{std::move(done).error()};
    } catch (const std::bad_alloc&) {
      return reserve;
    } catch (const std::exception& thrown) {
      return new carrel_error{Failure(Error(Code::internal, thrown.what()))};
    } catch (...) {
      return new carrel_error{Failure(Error(Code::internal, "something was thrown"))};
    }
  } catch (...) {
    return reserve;
  }
}

std::unexpected<Failure> invalid(std::string text) {
  return std::unexpected(Failure(Error(Code::invalid_argument, std::move(text))));
}

// As much of a structure as its caller knows; the rest as it is by default.
template <typename Options>
Options options_of(const Options* given, const Options& otherwise) {
  Options options = otherwise;
  if (given == nullptr) return options;
  std::memcpy(&options, given, std::min(given->size, sizeof options));
  return options;
}

std::string_view text_of(const char* text) { return text != nullptr ? text : ""; }

const char* text_out(const std::string& text, size_t* size) {
  if (size != nullptr) *size = text.size();
  return text.c_str();
}

constexpr std::string_view kSocket = "unix:";
constexpr std::uint64_t kMaxTokenFile = 4 << 10;

// The caller's token, or that of the file that the environment names.
Outcome<carrel::SecretBytes> token_of(const carrel_open_options& options) {
  if (options.token != nullptr) return carrel::SecretBytes(std::string_view(options.token));
  const char* const file = std::getenv("CARREL_TOKEN_FILE");
  if (file == nullptr || *file == '\0') return carrel::SecretBytes();
  CARREL_TRY(std::string text, carrel::read_file(file, kMaxTokenFile));
  const auto line = std::string_view(text).substr(0, text.find_first_of("\r\n"));
  carrel::SecretBytes token(line);
  carrel::wipe(text);
  return token;
}

Outcome<std::shared_ptr<Application>> at_socket(std::string socket,
                                                const carrel_open_options& options) {
  CARREL_TRY(auto token, token_of(options));
  return Application::at({.socket = std::move(socket),
                          .app = options.app != nullptr ? options.app : "localhost",
                          .token = std::move(token)});
}

Outcome<> open(const char* where, const carrel_open_options* given, carrel_handle* handle) {
  if (where == nullptr || handle == nullptr) return invalid("carrel_open needs where and handle");
  const auto options = options_of<carrel_open_options>(given, CARREL_OPEN_OPTIONS);
  World& world = World::here();
  const std::string_view place = where;
  const bool at_server = place.starts_with(kSocket);
  std::unique_lock lock(world.opening());
  CARREL_TRY(carrel::embed::Core* const core,
             world.core({.cache = std::string(text_of(options.cache)),
                         .compiler = std::string(text_of(options.compiler))}));
  std::shared_ptr<Application> application;
  if (at_server) {
    lock.unlock();  // nobody waits for a server but its caller
    CARREL_TRY(application, at_socket(std::string(place.substr(kSocket.size())), options));
    CARREL_TRY_VOID(carrel::embed::points(*core, application));  // it is there, and knows the token
  } else {
    CARREL_TRY(application,
               Application::open(where, core->loader(), {options.log, options.log_user}));
  }
  *handle = world.add(std::move(application));
  return {};
}

Outcome<unsigned> depth_within(World& world, carrel_function_call within) {
  if (within == 0) return 0;
  if (const auto outer = world.function_calls().find(within)) return outer->depth;
  return invalid("`within` is no call of a function that is under way");
}

Outcome<> call(carrel_handle handle, const char* point, const char* input, size_t size,
               const carrel_call_options* given, carrel_reply** reply) {
  if (point == nullptr || (input == nullptr && size > 0) || reply == nullptr)
    return invalid("carrel_call needs point, input and reply");
  const auto options = options_of<carrel_call_options>(given, CARREL_CALL_OPTIONS);
  World& world = World::here();
  CARREL_TRY(const auto application, world.find(handle));
  CARREL_TRY(const unsigned depth, depth_within(world, options.within));
  CARREL_TRY(auto made,
             carrel::embed::call(*world.core(), application,
                                 {.point = point,
                                  .input = {input, size},
                                  .tenant = text_of(options.tenant),
                                  .timeout = std::chrono::milliseconds(options.timeout_ms),
                                  .depth = depth,
                                  .context = options.context}));
  *reply = new carrel_reply{std::move(made)};
  return {};
}

// A call that nobody waits for. Owner: a worker.
struct AsyncCall {
  std::shared_ptr<Application> application;
  std::string point, input, tenant;
  std::chrono::milliseconds timeout{};
  unsigned depth = 0;
  void* context = nullptr;
  carrel_done done = nullptr;
  void* user = nullptr;

  AsyncCall() = default;
  AsyncCall(const AsyncCall&) = delete;
  AsyncCall& operator=(const AsyncCall&) = delete;
  ~AsyncCall() {
    if (counted) application->end_call();
  }
  bool counted = false;

  void run() {
    carrel_reply* reply = nullptr;
    carrel_error* const error = guarded([&] -> Outcome<> {
      CARREL_TRY(auto made, carrel::embed::call(*World::here().core(), application,
                                                {.point = point,
                                                 .input = input,
                                                 .tenant = tenant,
                                                 .timeout = timeout,
                                                 .depth = depth,
                                                 .context = context,
                                                 .begun = carrel::embed::Begun::before}));
      reply = new carrel_reply{std::move(made)};
      return {};
    });
    if (!World::exiting()) return done(user, error, reply);
    carrel_error_free(error);
    delete reply;
  }
};

Outcome<> call_async(carrel_handle handle, const char* point, const char* input, size_t size,
                     const carrel_call_options* given, carrel_done done, void* user) {
  if (point == nullptr || (input == nullptr && size > 0) || done == nullptr)
    return invalid("carrel_call_async needs point, input and done");
  const auto options = options_of<carrel_call_options>(given, CARREL_CALL_OPTIONS);
  World& world = World::here();
  auto call = std::make_unique<AsyncCall>();
  CARREL_TRY(call->application, world.find(handle));
  CARREL_TRY(call->depth, depth_within(world, options.within));
  if (const auto* const here = carrel::embed::call_here())
    call->depth = std::max(call->depth, here->depth);
  call->point = point;
  call->input.assign(input, size);
  call->tenant = text_of(options.tenant);
  call->timeout = std::chrono::milliseconds(options.timeout_ms);
  call->context = options.context;
  call->done = done;
  call->user = user;
  call->counted = call->application->begin_call();
  if (!call->counted)
    return carrel::embed::failed(carrel::embed::kClosed, "the handle is being closed");
  const bool taken =
      world.core()->workers().submit([call = std::move(call)]() mutable { call->run(); });
  if (taken) return {};
  return std::unexpected(Failure(Error(Code::overloaded, "too many calls wait already")));
}

Outcome<> emit(carrel_handle handle, const char* point, const char* event, size_t size,
               const carrel_call_options* given, carrel_reply** reply) {
  if (point == nullptr || (event == nullptr && size > 0) || reply == nullptr)
    return invalid("carrel_emit needs point, event and reply");
  const auto options = options_of<carrel_call_options>(given, CARREL_CALL_OPTIONS);
  World& world = World::here();
  CARREL_TRY(const auto application, world.find(handle));
  CARREL_TRY(auto made,
             carrel::embed::emit(
                 *world.core(), application,
                 {.point = point, .input = {event, size}, .tenant = text_of(options.tenant)}));
  *reply = new carrel_reply{std::move(made)};
  return {};
}

Outcome<> provide(carrel_handle handle, const char* name, const char* schema, carrel_function call,
                  void* user, const carrel_function_options* given) {
  if (name == nullptr || call == nullptr)
    return invalid("carrel_provide needs a name and a function");
  const auto options = options_of<carrel_function_options>(given, CARREL_FUNCTION_OPTIONS);
  CARREL_TRY(const auto application, World::here().find(handle));
  if (application->server() != nullptr)
    return std::unexpected(Failure(
        Error(Code::unsupported, "modules of a server do not call functions of this process",
              "open the application's folder")));
  auto function = std::make_shared<carrel::embed::Function>();
  function->function = call;
  function->user = user;
  if (options.timeout_ms > 0) function->longest = std::chrono::milliseconds(options.timeout_ms);
  if (options.rate > 0) function->rate = options.rate;
  if (schema != nullptr) {
    CARREL_TRY(function->schema, carrel::document::Schema::compile(schema));
  }
  CARREL_TRY_VOID(application->functions().add(name, function));
  function->release = options.release;
  return {};
}

}  // namespace

extern "C" {

uint32_t carrel_abi(void) { return CARREL_ABI; }
const char* carrel_version(void) { return CARREL_VERSION; }

const char* carrel_error_code(const carrel_error* error) { return error->failure.code.c_str(); }
const char* carrel_error_message(const carrel_error* error) {
  return error->failure.message.c_str();
}
const char* carrel_error_help(const carrel_error* error) { return error->failure.help.c_str(); }
const char* carrel_error_details(const carrel_error* error, size_t* size) {
  return text_out(error->failure.details, size);
}
void carrel_error_free(carrel_error* error) {
  if (error != no_memory()) delete error;
}

carrel_error* carrel_open(const char* where, const carrel_open_options* options,
                          carrel_handle* handle) {
  if (handle != nullptr) *handle = 0;
  return guarded([&] { return open(where, options, handle); });
}

carrel_error* carrel_close(carrel_handle handle) {
  return guarded([&] -> Outcome<> {
    CARREL_TRY_VOID(World::here().take(handle));
    return {};
  });
}

carrel_error* carrel_drain(carrel_handle handle, uint32_t timeout_ms) {
  return guarded([&] -> Outcome<> {
    CARREL_TRY(const auto application, World::here().find(handle));
    if (carrel::embed::inside_call_of(*application))
      return carrel::embed::failed(carrel::embed::kWouldDeadlock,
                                   "this thread is inside a call of the handle");
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    if (application->drain(until)) return {};
    return carrel::embed::failed(carrel::embed::kLate, "calls are still in progress");
  });
}

carrel_error* carrel_call(carrel_handle handle, const char* point, const char* input,
                          size_t input_size, const carrel_call_options* options,
                          carrel_reply** reply) {
  if (reply != nullptr) *reply = nullptr;
  return guarded([&] { return call(handle, point, input, input_size, options, reply); });
}

carrel_error* carrel_call_async(carrel_handle handle, const char* point, const char* input,
                                size_t input_size, const carrel_call_options* options,
                                carrel_done done, void* user) {
  return guarded([&] { return call_async(handle, point, input, input_size, options, done, user); });
}

carrel_error* carrel_emit(carrel_handle handle, const char* point, const char* event,
                          size_t event_size, const carrel_call_options* options,
                          carrel_reply** reply) {
  if (reply != nullptr) *reply = nullptr;
  return guarded([&] { return emit(handle, point, event, event_size, options, reply); });
}

const char* carrel_reply_output(const carrel_reply* reply, size_t* size) {
  return text_out(reply->output, size);
}

const char* carrel_reply_details(carrel_reply* reply, size_t* size) {
  carrel_error_free(guarded([&] -> Outcome<> {
    if (reply->details.empty())
      reply->details = R"({"runs":)" + carrel::hook::runs_text(reply->runs) + "}";
    return {};
  }));
  return text_out(reply->details, size);
}

void carrel_reply_free(carrel_reply* reply) { delete reply; }

carrel_error* carrel_points(carrel_handle handle, carrel_reply** reply) {
  if (reply != nullptr) *reply = nullptr;
  return guarded([&] -> Outcome<> {
    if (reply == nullptr) return invalid("carrel_points needs reply");
    CARREL_TRY(const auto application, World::here().find(handle));
    CARREL_TRY(auto made, carrel::embed::points(*World::here().core(), application));
    *reply = new carrel_reply{std::move(made)};
    return {};
  });
}

carrel_error* carrel_provide(carrel_handle handle, const char* name, const char* schema,
                             carrel_function function, void* user,
                             const carrel_function_options* options) {
  return guarded([&] { return provide(handle, name, schema, function, user, options); });
}

int carrel_answer(carrel_function_call call, const char* output, size_t output_size) {
  int taken = 0;
  carrel_error_free(guarded([&] -> Outcome<> {
    if (output == nullptr && output_size > 0) return {};
    if (output_size > carrel::turn::kMaxArgument) {
      taken = int{World::here().function_calls().answer(
          call, std::unexpected("its answer has more than 1 MiB"))};
    } else {
      taken = int{World::here().function_calls().answer(call, std::string(output, output_size))};
    }
    return {};
  }));
  return taken;
}

int carrel_refuse(carrel_function_call call, const char* reason) {
  int taken = 0;
  carrel_error_free(guarded([&] -> Outcome<> {
    taken = int{World::here().function_calls().answer(
        call, std::unexpected("refused: " + std::string(text_of(reason))))};
    return {};
  }));
  return taken;
}

void* carrel_context(carrel_function_call call) {
  const auto under_way = World::here().function_calls().find(call);
  return under_way ? under_way->context : nullptr;
}

CARREL_API int carrel_compile_child(void);
int carrel_compile_child(void) { return carrel::wasm::compile_child_main(0, nullptr); }

}  // extern "C"
