#include "wasm/engine.h"

#include <carrel/engine.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "wasm/module.h"
#include "wasm/raw.h"
#include "wasm/ticker.h"

namespace carrel::wasm {
namespace {

std::vector<std::byte> take_bytes(carrel_buffer& buffer) {
  const auto* data = reinterpret_cast<const std::byte*>(buffer.data);
  std::vector<std::byte> bytes(data, data + buffer.size);
  carrel_buffer_free(&buffer);
  return bytes;
}

carrel_engine_settings to_c(const EngineSettings& s) {
  return {.slots = s.slots,
          .warm_slots = s.warm_slots,
          .table_elements = s.table_elements,
          .max_instance_size = s.max_instance,
          .max_memory_size = s.max_memory,
          .memory_reservation = s.memory_reservation,
          .memory_guard_size = s.memory_guard,
          .memory_keep_resident = s.memory_keep_resident,
          .table_keep_resident = s.table_keep_resident,
          .stack_keep_resident = s.stack_keep_resident,
          .max_wasm_stack = s.wasm_stack,
          .async_stack_size = s.async_stack,
          .decommit_batch = s.decommit_batch,
          .pooling = s.pooling,
          .pagemap_scan = s.pagemap_scan,
          .parallel_compilation = s.parallel_compilation,
          .backtrace = 1,
          .concurrency = 0};
}

carrel_engine_settings to_c_concurrent(const EngineSettings& s) {
  carrel_engine_settings settings = to_c(s);
  settings.slots = slots_for_concurrency(s);
  settings.warm_slots = s.warm_slots / 8;
  settings.concurrency = 1;
  return settings;
}

Result<wasm_engine_t*> make_raw(const carrel_engine_settings& settings) {
  carrel_buffer error{};
  wasm_engine_t* raw = carrel_engine_new(&settings, &error);
  if (raw != nullptr) return raw;
  return fail(
      Code::invalid_config, fmt::format("the engine cannot be made: {}", take_text(error)),
      "lower the number of slots, or raise RLIMIT_AS and vm.max_map_count; `carrel doctor` shows them");
}

Result<std::vector<std::byte>> compile_on(const wasm_engine_t* engine,
                                          std::span<const std::byte> wasm) {
  carrel_buffer code{};
  if (!carrel_engine_compile(engine, reinterpret_cast<const std::uint8_t*>(wasm.data()),
                             wasm.size(), &code)) {
    return fail(Code::invalid_module, take_text(code));
  }
  return take_bytes(code);
}

// An import or export of a component has its version in its name.
bool names_wasi_0_3(std::span<const std::byte> wasm) {
  return std::string_view(reinterpret_cast<const char*>(wasm.data()), wasm.size())
      .contains("@0.3.");
}

}  // namespace

Result<std::shared_ptr<Engine>> Engine::make(const EngineSettings& settings) {
  CARREL_TRY(auto engine, make_for_compiling(settings));
  engine->ticker_ = std::make_unique<Ticker>(engine->raw_);
  return engine;
}

Result<std::shared_ptr<Engine>> Engine::make_for_compiling(const EngineSettings& settings) {
  if (settings.max_memory > settings.memory_reservation) {
    return fail(
        Code::invalid_config,
        fmt::format(
            "the largest memory ({} bytes) does not fit into a slot's reservation ({} bytes)",
            settings.max_memory, settings.memory_reservation));
  }
  CARREL_TRY(wasm_engine_t* const raw, make_raw(to_c(settings)));
  return std::shared_ptr<Engine>(new Engine(settings, raw));
}

Engine::Engine(const EngineSettings& settings, wasm_engine_t* raw)
    : settings_(settings), raw_(raw) {}

Engine::~Engine() {
  ticker_.reset();
  wasm_engine_delete(raw_);
  if (concurrent_ != nullptr) wasm_engine_delete(concurrent_);
}

Result<wasm_engine_t*> Engine::concurrent() const {
  const std::lock_guard lock(making_);
  if (concurrent_ == nullptr) {
    CARREL_TRY(concurrent_, make_raw(to_c_concurrent(settings_)));
    if (ticker_) ticker_->also(concurrent_);
  }
  return concurrent_;
}

std::uint64_t Engine::compatibility() const { return carrel_engine_compatibility(raw_); }

Result<std::vector<std::byte>> Engine::compile(std::span<const std::byte> wasm) const {
  const bool component = binary_kind(wasm) == Binary::component;
  if (!component || !names_wasi_0_3(wasm)) {
    auto code = compile_on(raw_, wasm);
    if (code || !component) return code;
  }
  // It may need what only the other engine has; that one's refusal counts.
  CARREL_TRY(const wasm_engine_t* const engine, concurrent());
  return compile_on(engine, wasm);
}

Result<std::vector<std::byte>> wat_to_wasm(std::string_view text) {
  carrel_buffer wasm{};
  if (!carrel_wat_to_wasm(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), &wasm)) {
    return fail(Code::invalid_module, take_text(wasm));
  }
  return take_bytes(wasm);
}

}  // namespace carrel::wasm
