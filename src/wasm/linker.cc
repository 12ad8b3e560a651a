#include "wasm/linker.h"

#include <fmt/format.h>

#include "wasm/instance.h"
#include "wasm/raw.h"

namespace carrel::wasm {
namespace {

constexpr std::size_t kMaxOperands = 16;

Instance& instance_of(wasmtime_context_t* context) {
  return *static_cast<Instance*>(wasmtime_context_get_data(context));
}

wasm_trap_t* ended_by_host() {
  static constexpr std::string_view kText = "ended by the host";
  return wasmtime_trap_new(kText.data(), kText.size());
}

// The unchecked form: operands and result share one array of raw values.
wasm_trap_t* call_sync(void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t) {
  const auto& row = *static_cast<const HostFunction*>(env);
  std::uint64_t operands[kMaxOperands];
  std::size_t count = 0;
  for (const char* kind = row.params; *kind != 0; ++kind, ++count) {
    operands[count] = *kind == 'I' ? static_cast<std::uint64_t>(values[count].i64)
                                   : static_cast<std::uint32_t>(values[count].i32);
  }
  std::int32_t result = 0;
  if (row.function(instance_of(wasmtime_caller_context(caller)), operands, &result) != HostStatus::done) {
    return ended_by_host();
  }
  if (row.returns == Returns::i32) values[0].i32 = result;
  return nullptr;
}

carrel_host_status call_suspending(void* env, wasmtime_context_t* context, const std::uint64_t* operands,
                                   std::int32_t* result) {
  const auto& row = *static_cast<const HostFunction*>(env);
  Instance& instance = instance_of(context);
  if (instance.waiting()) return CARREL_HOST_PENDING;
  switch (row.function(instance, operands, result)) {
    case HostStatus::done: return CARREL_HOST_DONE;
    case HostStatus::pending: return CARREL_HOST_PENDING;
    case HostStatus::trap: return CARREL_HOST_TRAP;
  }
  return CARREL_HOST_TRAP;
}

wasm_functype_t* function_type(const HostFunction& row) {
  wasm_valtype_vec_t params{};
  wasm_valtype_vec_t results{};
  const std::string_view spelled(row.params);
  wasm_valtype_vec_new_uninitialized(&params, spelled.size());
  for (std::size_t i = 0; i < spelled.size(); ++i) {
    params.data[i] = wasm_valtype_new(spelled[i] == 'I' ? WASM_I64 : WASM_I32);
  }
  if (row.returns == Returns::i32) {
    wasm_valtype_t* one = wasm_valtype_new(WASM_I32);
    wasm_valtype_vec_new(&results, 1, &one);
  } else {
    wasm_valtype_vec_new_empty(&results);
  }
  return wasm_functype_new(&params, &results);
}

Result<void> define(wasmtime_linker_t* linker, const HostFunction& row) {
  auto* env = const_cast<HostFunction*>(&row);
  if (row.suspends == Suspends::maybe) {
    carrel_buffer error{};
    if (!carrel_linker_define_suspending(linker, row.module.data(), row.module.size(), row.name.data(),
                                         row.name.size(), row.params, call_suspending, env, &error)) {
      std::string text(reinterpret_cast<const char*>(error.data), error.size);
      carrel_buffer_free(&error);
      return fail(Code::internal, fmt::format("{}.{}: {}", row.module, row.name, text));
    }
    return {};
  }
  Handle<wasm_functype_t, wasm_functype_delete> type(function_type(row));
  ErrorHandle error(wasmtime_linker_define_func_unchecked(linker, row.module.data(), row.module.size(),
                                                          row.name.data(), row.name.size(), type.get(), call_sync,
                                                          env, nullptr));
  if (error) return fail(Code::internal, message_of(error.get()));
  return {};
}

}  // namespace

Prepared::~Prepared() { wasmtime_instance_pre_delete(raw_); }

Result<std::unique_ptr<Linker>> Linker::make(std::shared_ptr<Engine> engine,
                                             std::span<const HostFunction> functions) {
  wasmtime_linker_t* raw = wasmtime_linker_new(engine->raw());
  std::unique_ptr<Linker> linker(new Linker(std::move(engine), raw));
  for (const HostFunction& row : functions) CARREL_TRY_VOID(define(raw, row));
  return linker;
}

Linker::~Linker() { wasmtime_linker_delete(raw_); }

Result<std::unique_ptr<const Prepared>> Linker::prepare(std::shared_ptr<const Module> module) const {
  wasmtime_instance_pre_t* pre = nullptr;
  if (ErrorHandle error(wasmtime_linker_instantiate_pre(raw_, module->raw(), &pre)); error) {
    return fail(Code::unknown_import, message_of(error.get()));
  }
  return std::unique_ptr<const Prepared>(new Prepared(std::move(module), pre));
}

}  // namespace carrel::wasm
