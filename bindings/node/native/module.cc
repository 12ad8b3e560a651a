// The addon: libcarrel's functions for the package's JavaScript, and nothing for anybody else.
#include "port.h"

namespace carrel::node {
namespace {

// Never freed: lines of calls in progress may come after the handle was closed.
struct LogTo {
  std::shared_ptr<Port> port;
  napi_ref callable;
};

void log_line(void* user, const char* line, size_t size) {
  const auto& to = *static_cast<LogTo*>(user);
  to.port->log(to.callable, line, size);
}

// What is opened on one of Node's threads, as modules take long to compile.
struct Opening {
  napi_env env;
  napi_deferred promise;
  napi_async_work work;
  std::string folder, cache, compiler, token, app;
  bool has_cache, has_compiler, has_token, has_app;
  LogTo* log;
  carrel_handle handle = 0;
  carrel_error* error = nullptr;

  void open() {
    carrel_open_options options = CARREL_OPEN_OPTIONS;
    if (has_cache) options.cache = cache.c_str();
    if (has_compiler) options.compiler = compiler.c_str();
    if (has_token) options.token = token.c_str();
    if (has_app) options.app = app.c_str();
    options.log = log_line;
    options.log_user = log;
    error = carrel_open(folder.c_str(), &options, &handle);
  }
};

napi_value handle_of(napi_env env, carrel_handle handle) {
  napi_value value = nullptr;
  napi_create_bigint_uint64(env, handle, &value);
  return value;
}

bool read(napi_env env, Arguments& arguments, Opening& opening) {
  opening.env = env;
  arguments.text_needed(opening.folder);
  opening.has_cache = arguments.text(opening.cache);
  opening.has_compiler = arguments.text(opening.compiler);
  opening.has_token = arguments.text(opening.token);
  opening.has_app = arguments.text(opening.app);
  const napi_value log = arguments.value();
  if (!arguments.good()) return false;
  opening.log = new LogTo{Port::of(env), nullptr};
  napi_create_reference(env, log, 1, &opening.log->callable);
  return true;
}

// openSync(folder, cache, compiler, token, app, log): the handle.
napi_value open_sync(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Opening opening{};
  if (!read(env, arguments, opening)) return nullptr;
  opening.open();
  Port::of(env)->settle();
  if (opening.error != nullptr) return Port::of(env)->raise(opening.error);
  return handle_of(env, opening.handle);
}

void opened(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Opening> opening(static_cast<Opening*>(data));
  napi_delete_async_work(env, opening->work);
  if (status == napi_cancelled) return;
  const auto port = Port::of(env);
  port->settle();
  if (opening->error != nullptr) {
    napi_reject_deferred(env, opening->promise, port->failure_of(opening->error));
  } else {
    napi_resolve_deferred(env, opening->promise, handle_of(env, opening->handle));
  }
}

// open(folder, cache, compiler, token, app, log): a promise of the handle.
napi_value open(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  auto opening = std::make_unique<Opening>();
  if (!read(env, arguments, *opening)) return nullptr;
  napi_value promise = nullptr;
  napi_create_promise(env, &opening->promise, &promise);
  napi_create_async_work(
      env, nullptr, string_of(env, "carrel.open", NAPI_AUTO_LENGTH),
      [](napi_env, void* data) { static_cast<Opening*>(data)->open(); }, opened, opening.get(),
      &opening->work);
  napi_queue_async_work(env, opening->work);
  (void)opening.release();
  return promise;
}

// An event is told on one of Node's threads, as the server writes it to its disk.
struct Emitting {
  napi_deferred promise;
  napi_async_work work;
  carrel_handle handle;
  std::string point, event, tenant;
  bool has_tenant;
  carrel_error* error = nullptr;
  carrel_reply* reply = nullptr;

  void emit() {
    carrel_call_options options = CARREL_CALL_OPTIONS;
    if (has_tenant) options.tenant = tenant.c_str();
    error = carrel_emit(handle, point.c_str(), event.data(), event.size(), &options, &reply);
  }
};

void emitted(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Emitting> emitting(static_cast<Emitting*>(data));
  napi_delete_async_work(env, emitting->work);
  if (status == napi_cancelled) return;
  const auto port = Port::of(env);
  port->settle();
  if (emitting->error != nullptr) {
    napi_reject_deferred(env, emitting->promise, port->failure_of(emitting->error));
    return;
  }
  size_t size = 0;
  const char* const text = carrel_reply_output(emitting->reply, &size);
  napi_resolve_deferred(env, emitting->promise, string_of(env, text, size));
  carrel_reply_free(emitting->reply);
}

// emit(handle, point, event, tenant): a promise of JSON.
napi_value emit(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  auto emitting = std::make_unique<Emitting>();
  emitting->handle = arguments.number64();
  arguments.text_needed(emitting->point);
  const char* event = nullptr;
  size_t size = 0;
  arguments.json(event, size);
  emitting->has_tenant = arguments.text(emitting->tenant);
  if (!arguments.good()) return nullptr;
  emitting->event.assign(event, size);
  napi_value promise = nullptr;
  napi_create_promise(env, &emitting->promise, &promise);
  napi_create_async_work(
      env, nullptr, string_of(env, "carrel.emit", NAPI_AUTO_LENGTH),
      [](napi_env, void* data) { static_cast<Emitting*>(data)->emit(); }, emitted, emitting.get(),
      &emitting->work);
  napi_queue_async_work(env, emitting->work);
  (void)emitting.release();
  return promise;
}

struct Asked {
  carrel_handle handle = 0;
  std::string point, tenant;
  const char* input = nullptr;
  size_t size = 0;
  carrel_call_options options = CARREL_CALL_OPTIONS;
};

bool read(Arguments& arguments, Asked& asked) {
  asked.handle = arguments.number64();
  arguments.text_needed(asked.point);
  arguments.json(asked.input, asked.size);
  if (arguments.text(asked.tenant)) asked.options.tenant = asked.tenant.c_str();
  asked.options.timeout_ms = arguments.number();
  asked.options.within = arguments.number64();
  return arguments.good();
}

// callSync(handle, point, input, tenant, timeout, within, wantsDetails): the output, or
// [output, details].
napi_value call_sync(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Asked asked;
  if (!read(arguments, asked)) return nullptr;
  bool details = false;
  napi_get_value_bool(env, arguments.value(), &details);
  const auto port = Port::of(env);
  Caller caller{.port = port, .waiter = nullptr};
  asked.options.context = &caller;
  carrel_reply* reply = nullptr;
  carrel_error* const error = carrel_call(asked.handle, asked.point.c_str(), asked.input,
                                          asked.size, &asked.options, &reply);
  port->settle();
  if (error != nullptr) return port->raise(error);
  size_t size = 0;
  const char* text = carrel_reply_output(reply, &size);
  napi_value output = string_of(env, text, size);
  if (details) {
    text = carrel_reply_details(reply, &size);
    napi_value both = nullptr;
    napi_create_array_with_length(env, 2, &both);
    napi_set_element(env, both, 0, output);
    napi_set_element(env, both, 1, string_of(env, text, size));
    output = both;
  }
  carrel_reply_free(reply);
  return output;
}

void done(void* user, carrel_error* error, carrel_reply* reply) {
  const std::unique_ptr<Caller> caller(static_cast<Caller*>(user));
  Item item;
  item.waiter = std::move(caller->waiter);
  item.error = error;
  item.reply = reply;
  caller->port->post(std::move(item));
}

// call(handle, point, input, tenant, timeout, within, waiter): what comes of it is delivered.
napi_value call(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Asked asked;
  if (!read(arguments, asked)) return nullptr;
  const auto port = Port::of(env);
  port->settle();
  auto caller = std::make_unique<Caller>();
  caller->port = port;
  caller->waiter = std::make_shared<Kept>(port, arguments.value());
  asked.options.context = caller.get();
  carrel_error* const error = carrel_call_async(asked.handle, asked.point.c_str(), asked.input,
                                                asked.size, &asked.options, done, caller.get());
  if (error != nullptr) return port->raise(error);
  (void)caller.release();
  port->begin_call();
  return undefined(env);
}

napi_value close(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const carrel_handle handle = arguments.number64();
  if (!arguments.good()) return nullptr;
  carrel_error* const error = carrel_close(handle);
  return error != nullptr ? Port::of(env)->raise(error) : undefined(env);
}

// points(handle): JSON.
napi_value points(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const carrel_handle handle = arguments.number64();
  if (!arguments.good()) return nullptr;
  carrel_reply* reply = nullptr;
  if (carrel_error* const error = carrel_points(handle, &reply)) return Port::of(env)->raise(error);
  size_t size = 0;
  const char* const text = carrel_reply_output(reply, &size);
  const napi_value output = string_of(env, text, size);
  carrel_reply_free(reply);
  return output;
}

// On the loop's thread, which is inside of carrel_call.
void call_here(const Kept& function, carrel_function_call call, const char* input, size_t size) {
  const napi_env env = function.port()->env();
  napi_handle_scope scope = nullptr;
  napi_open_handle_scope(env, &scope);
  napi_value arguments[2] = {nullptr, string_of(env, input, size)};
  napi_create_bigint_uint64(env, call, &arguments[0]);
  if (napi_call_function(env, undefined(env), function.value(), 2, arguments, nullptr) != napi_ok) {
    napi_value thrown = nullptr;
    napi_get_and_clear_last_exception(env, &thrown);
    carrel_refuse(call, "it was ended");
  }
  napi_close_handle_scope(env, scope);
}

void call_function(void* user, carrel_function_call call, const char* input, size_t size) {
  const auto& function = *static_cast<std::shared_ptr<Kept>*>(user);
  const auto* const caller = static_cast<Caller*>(carrel_context(call));
  if (caller == nullptr || caller->port != function->port()) {
    carrel_refuse(call, "it is called from another thread's application");
  } else if (!caller->waiter) {
    call_here(*function, call, input, size);
  } else {
    Item item;
    item.waiter = caller->waiter;
    item.function = function;
    item.call = call;
    item.input.assign(input, size);
    caller->port->post(std::move(item));
  }
}

// provide(handle, name, schema, timeout, rate, function): the function is called with (call,
// input).
napi_value provide(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const carrel_handle handle = arguments.number64();
  std::string name, schema;
  arguments.text_needed(name);
  const bool checked = arguments.text(schema);
  carrel_function_options options = CARREL_FUNCTION_OPTIONS;
  options.timeout_ms = arguments.number();
  options.rate = arguments.number();
  options.release = [](void* user) { delete static_cast<std::shared_ptr<Kept>*>(user); };
  if (!arguments.good()) return nullptr;
  auto function = std::make_unique<std::shared_ptr<Kept>>(
      std::make_shared<Kept>(Port::of(env), arguments.value()));
  carrel_error* const error =
      carrel_provide(handle, name.c_str(), checked ? schema.c_str() : nullptr, call_function,
                     function.get(), &options);
  if (error != nullptr) return Port::of(env)->raise(error);
  (void)function.release();
  return undefined(env);
}

napi_value boolean(napi_env env, int is) {
  napi_value value = nullptr;
  napi_get_boolean(env, is != 0, &value);
  return value;
}

// answer(call, text) and refuse(call, reason): whether somebody waited.
napi_value answer(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const carrel_function_call call = arguments.number64();
  const char* text = nullptr;
  size_t size = 0;
  arguments.json(text, size);
  return arguments.good() ? boolean(env, carrel_answer(call, text, size)) : nullptr;
}
napi_value refuse(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const carrel_function_call call = arguments.number64();
  std::string reason;
  arguments.text_needed(reason);
  return arguments.good() ? boolean(env, carrel_refuse(call, reason.c_str())) : nullptr;
}

// start(deliver, fail): once, before anything else.
napi_value start(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const napi_value deliver = arguments.value();
  Port::make(env, deliver, arguments.value());
  return undefined(env);
}

napi_value init(napi_env env, napi_value exports) {
  if (carrel_abi() != CARREL_ABI) {
    napi_throw_error(env, nullptr, "libcarrel is of another ABI than this package");
    return nullptr;
  }
  const std::pair<const char*, napi_callback> functions[] = {
      {"start", start},   {"openSync", open_sync}, {"open", open}, {"close", close},
      {"points", points}, {"callSync", call_sync}, {"call", call}, {"provide", provide},
      {"answer", answer}, {"refuse", refuse},      {"emit", emit},
  };
  for (const auto& [name, function] : functions) {
    napi_value value = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value);
    napi_set_named_property(env, exports, name, value);
  }
  napi_set_named_property(env, exports, "version",
                          string_of(env, carrel_version(), NAPI_AUTO_LENGTH));
  return exports;
}

}  // namespace
}  // namespace carrel::node

NAPI_MODULE_INIT() { return carrel::node::init(env, exports); }
