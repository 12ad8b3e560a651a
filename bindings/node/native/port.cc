#include "port.h"

namespace carrel::node {
namespace {

constexpr size_t kMostLines = 4096;

napi_value value_of(napi_env env, napi_ref reference) {
  napi_value value = nullptr;
  napi_get_reference_value(env, reference, &value);
  return value;
}

// Calls `callable`. What it throws is the loop's: an uncaught exception.
void call(napi_env env, napi_value callable, std::initializer_list<napi_value> arguments) {
  if (napi_call_function(env, undefined(env), callable, arguments.size(), arguments.begin(),
                         nullptr) != napi_pending_exception)
    return;
  napi_value thrown = nullptr;
  if (napi_get_and_clear_last_exception(env, &thrown) == napi_ok) napi_fatal_exception(env, thrown);
}

}  // namespace

Kept::Kept(std::shared_ptr<Port> port, napi_value value) : port_(std::move(port)) {
  napi_create_reference(port_->env(), value, 1, &reference_);
}
Kept::~Kept() { port_->let_go_later(reference_); }
napi_value Kept::value() const { return value_of(port_->env(), reference_); }

std::shared_ptr<Port> Port::make(napi_env env, napi_value deliver, napi_value fail) {
  auto port = std::make_shared<Port>();
  port->env_ = env;
  napi_create_reference(env, deliver, 1, &port->deliver_);
  napi_create_reference(env, fail, 1, &port->fail_);
  const napi_value name = string_of(env, "carrel", NAPI_AUTO_LENGTH);
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr,
                                      port.get(), take, &port->wake_) != napi_ok) {
    napi_throw_error(env, nullptr, "carrel cannot wake this event loop");
    return nullptr;
  }
  napi_unref_threadsafe_function(env, port->wake_);
  auto* const kept = new std::shared_ptr<Port>(port);
  napi_set_instance_data(
      env, kept,
      [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<Port>*>(data); },
      nullptr);
  // Runs before what was registered earlier, so before `wake_` goes.
  napi_add_env_cleanup_hook(env, close, kept);
  return port;
}

const std::shared_ptr<Port>& Port::of(napi_env env) {
  static const std::shared_ptr<Port> none;
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return data != nullptr ? *static_cast<std::shared_ptr<Port>*>(data) : none;
}

void Port::close(void* data) {
  const std::shared_ptr<Port> port = *static_cast<std::shared_ptr<Port>*>(data);
  std::deque<Item> dropped;
  const std::lock_guard lock(port->mutex_);
  port->closed_ = true;
  dropped.swap(port->items_);
}

void Port::post(Item item) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  items_.push_back(std::move(item));
  if (items_.size() == 1)  // else the loop knows already
    napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
}

void Port::log(napi_ref callable, const char* line, size_t size) {
  const std::lock_guard lock(mutex_);
  if (!closed_ && lines_.size() < kMostLines)
    lines_.emplace_back(callable, std::string(line, size));
}

void Port::let_go_later(napi_ref reference) {
  const std::lock_guard lock(mutex_);
  if (!closed_) references_.push_back(reference);
}

void Port::begin_call() {
  if (under_way_++ == 0) napi_ref_threadsafe_function(env_, wake_);
}

void Port::end_call() {
  if (--under_way_ == 0) napi_unref_threadsafe_function(env_, wake_);
}

void Port::settle() {
  std::vector<std::pair<napi_ref, std::string>> lines;
  std::vector<napi_ref> references;
  {
    const std::lock_guard lock(mutex_);
    lines.swap(lines_);
    references.swap(references_);
  }
  for (const auto& [callable, line] : lines)
    call(env_, value_of(env_, callable), {string_of(env_, line.data(), line.size())});
  for (const napi_ref reference : references) napi_delete_reference(env_, reference);
}

napi_value Port::failure_of(carrel_error* error) {
  size_t size = 0;
  const char* const details = carrel_error_details(error, &size);
  const napi_value arguments[] = {string_of(env_, carrel_error_code(error), NAPI_AUTO_LENGTH),
                                  string_of(env_, carrel_error_message(error), NAPI_AUTO_LENGTH),
                                  string_of(env_, carrel_error_help(error), NAPI_AUTO_LENGTH),
                                  string_of(env_, details, size)};
  carrel_error_free(error);
  napi_value made = nullptr;
  napi_call_function(env_, undefined(env_), value_of(env_, fail_), 4, arguments, &made);
  return made;
}

napi_value Port::raise(carrel_error* error) {
  if (const napi_value made = failure_of(error)) napi_throw(env_, made);
  return nullptr;
}

void Port::deliver(Item& item) {
  const napi_value deliver = value_of(env_, deliver_);
  if (item.function) {
    napi_value number = nullptr;
    napi_create_bigint_uint64(env_, item.call, &number);
    call(env_, deliver,
         {item.waiter->value(), item.function->value(), number,
          string_of(env_, item.input.data(), item.input.size())});
    return;
  }
  end_call();
  napi_value failure = undefined(env_), output = undefined(env_);
  if (item.error != nullptr) {
    failure = failure_of(std::exchange(item.error, nullptr));
  } else {
    size_t size = 0;
    const char* const text = carrel_reply_output(item.reply, &size);
    output = string_of(env_, text, size);
  }
  call(env_, deliver, {item.waiter->value(), undefined(env_), failure, output});
}

void Port::take(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;  // the loop is ending
  const auto port = static_cast<Port*>(context)->shared_from_this();
  std::deque<Item> items;
  {
    const std::lock_guard lock(port->mutex_);
    items.swap(port->items_);
  }
  port->settle();
  for (Item& item : items) {
    napi_handle_scope scope = nullptr;
    napi_open_handle_scope(env, &scope);
    port->deliver(item);
    napi_close_handle_scope(env, scope);
  }
}

}  // namespace carrel::node
