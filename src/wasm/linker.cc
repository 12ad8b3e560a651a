#include "wasm/linker.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "wasm/instance.h"
#include "wasm/raw.h"

namespace carrel::wasm {

// A call from a guest, on its way to a row's function.
class HostCall {
 public:
  explicit HostCall(wasmtime_caller_t* caller)
      : instance_(
            *static_cast<Instance*>(wasmtime_context_get_data(wasmtime_caller_context(caller)))) {
    instance_.meet(caller);
  }

  bool waiting() const { return static_cast<bool>(instance_.pending_); }

  // No exception may reach the engine's frames.
  HostStatus make(const HostFunction& row, const std::uint64_t* operands,
                  std::int32_t* result) noexcept {
    try {
      return row.function(instance_, operands, result);
    } catch (const std::exception& cause) {
      instance_.abort(fmt::format("{}.{} failed: {}", row.module, row.name, cause.what()));
    } catch (...) {
      instance_.abort(fmt::format("{}.{} failed", row.module, row.name));
    }
    return HostStatus::trap;
  }

 private:
  Instance& instance_;
};

namespace {

constexpr std::size_t kMaxOperands = 16;

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
  // A function that may not suspend but says so has a bug: it ends its guest.
  if (HostCall(caller).make(row, operands, &result) != HostStatus::done) return ended_by_host();
  if (row.returns == Returns::i32) values[0].i32 = result;
  return nullptr;
}

carrel_host_status call_suspending(void* env, wasmtime_caller_t* caller,
                                   const std::uint64_t* operands, std::int32_t* result) {
  const auto& row = *static_cast<const HostFunction*>(env);
  HostCall call(caller);
  if (call.waiting()) return CARREL_HOST_PENDING;
  switch (call.make(row, operands, result)) {
    case HostStatus::done:
      return CARREL_HOST_DONE;
    case HostStatus::pending:
      return CARREL_HOST_PENDING;
    case HostStatus::trap:
      return CARREL_HOST_TRAP;
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
    if (!carrel_linker_define_suspending(linker, row.module.data(), row.module.size(),
                                         row.name.data(), row.name.size(), row.params,
                                         call_suspending, env, &error)) {
      return fail(Code::internal, fmt::format("{}.{}: {}", row.module, row.name, take_text(error)));
    }
    return {};
  }
  Handle<wasm_functype_t, wasm_functype_delete> type(function_type(row));
  ErrorHandle error(wasmtime_linker_define_func_unchecked(
      linker, row.module.data(), row.module.size(), row.name.data(), row.name.size(), type.get(),
      call_sync, env, nullptr));
  if (error) return fail(Code::internal, message_of(error.get()));
  return {};
}

// As Module spells a function's type.
std::string spell_type(const HostFunction& row) {
  std::string text = "func (";
  for (const char* kind = row.params; *kind != 0; ++kind) {
    if (kind != row.params) text += ' ';
    text += *kind == 'I' ? "i64" : "i32";
  }
  return text + (row.returns == Returns::i32 ? ") -> i32" : ")");
}

ExportPlace place_of(const Module& module, std::string_view name) {
  carrel_export place{};
  if (!carrel_module_export(module.raw(), name.data(), name.size(), &place)) return {};
  return std::bit_cast<ExportPlace::value_type>(place);
}

// Names are the guest's own: bounded, because they go to logs.
std::string_view clipped(std::string_view text) { return text.substr(0, 128); }

}  // namespace

Prepared::Prepared(std::shared_ptr<const Module> module, wasmtime_instance_pre* raw)
    : raw_(raw),
      engine_(module->engine().get()),
      least_memory_(module->least_memory()),
      start_(place_of(*module, "_start")),
      memory_(place_of(*module, "memory")),
      module_(std::move(module)) {}

Prepared::Prepared(std::shared_ptr<const Module> module, carrel_component_pre* component,
                   std::shared_ptr<const Preview1> preview1)
    : component_(component),
      engine_(module->engine().get()),
      least_memory_(module->least_memory()),
      module_(std::move(module)),
      preview1_(std::move(preview1)) {}

Prepared::~Prepared() {
  if (raw_ != nullptr) wasmtime_instance_pre_delete(raw_);
  if (component_ != nullptr) carrel_component_pre_free(component_);
}

Result<std::unique_ptr<Linker>> Linker::make(std::shared_ptr<Engine> engine,
                                             std::span<const HostFunction> functions) {
  for (const HostFunction& row : functions) {
    if (std::string_view(row.params).size() > kMaxOperands) {
      return fail(Code::internal, fmt::format("{}.{} has too many operands", row.module, row.name));
    }
  }
  wasmtime_linker_t* raw = wasmtime_linker_new(engine->raw());
  std::unique_ptr<Linker> linker(new Linker(std::move(engine), functions, raw));
  for (const HostFunction& row : functions) CARREL_TRY_VOID(define(raw, row));
  return linker;
}

Linker::~Linker() {
  if (raw_ != nullptr) wasmtime_linker_delete(raw_);
  for (carrel_component_linker* const each : components_) {
    if (each != nullptr) carrel_component_linker_free(each);
  }
}

Result<void> Linker::check_imports(const Module& module) const {
  constexpr std::size_t kMaxListed = 100;
  std::string list;
  std::size_t count = 0;
  for (const ImportName& import : module.imports()) {
    const auto row = std::ranges::find_if(functions_, [&](const HostFunction& candidate) {
      return candidate.module == import.module && candidate.name == import.name;
    });
    const bool known = row != functions_.end();
    if (known && spell_type(*row) == import.type) continue;
    if (++count > kMaxListed) continue;
    list += fmt::format("{}{}.{}, {}", count == 1 ? "" : "; ", clipped(import.module),
                        clipped(import.name), clipped(import.type));
    if (known) list += fmt::format(" (provided with another type: {})", spell_type(*row));
  }
  if (count == 0) return {};
  if (count > kMaxListed) list += fmt::format("; and {} more", count - kMaxListed);
  return fail(
      Code::unknown_import,
      fmt::format("the module imports what its ABI does not provide: {}", list),
      "remove the import, or build the module with a toolchain that `carrel inspect` knows");
}

Result<std::unique_ptr<const Prepared>> Linker::prepare(
    std::shared_ptr<const Module> module) const {
  if (module->is_component() != (preview1_ != nullptr)) {
    return fail(Code::unknown_import, "a component and a core module are not linked alike");
  }
  if (preview1_ != nullptr) return prepare_component(std::move(module));
  CARREL_TRY_VOID(check_imports(*module));
  wasmtime_instance_pre_t* pre = nullptr;
  if (ErrorHandle error(wasmtime_linker_instantiate_pre(raw_, module->raw(), &pre)); error) {
    return fail(Code::unknown_import, message_of(error.get()));
  }
  return std::unique_ptr<const Prepared>(new Prepared(std::move(module), pre));
}

}  // namespace carrel::wasm
