#include <fmt/format.h>

#include <algorithm>

#include "wasm/linker.h"
#include "wasm/raw.h"

namespace carrel::wasm {
namespace {

constexpr std::string_view kCalled[] = {
#define CARREL_NAME(name) #name,
    CARREL_PREVIEW1_FUNCTIONS(CARREL_NAME)
#undef CARREL_NAME
};

Result<std::shared_ptr<const Preview1>> rows_of(std::span<const HostFunction> preview1) {
  auto rows = std::make_shared<Preview1>();
  for (const std::string_view name : kCalled) {
    const auto row = std::ranges::find_if(preview1, [&](const HostFunction& candidate) {
      return candidate.module == "wasi_snapshot_preview1" && candidate.name == name;
    });
    if (row == preview1.end()) {
      return fail(Code::internal, fmt::format("no host function for preview 1's {}", name));
    }
    rows->push_back(&*row);
  }
  return rows;
}

// By what it exports; 0.2 if it is of both generations.
carrel_world world_of(const Module& module, World world) {
  const auto exports = module.exports();
  const auto has = [&](std::string_view wanted) {
    return std::ranges::any_of(
        exports, [&](const ExportName& item) { return item.name.starts_with(wanted); });
  };
  if (world == World::http) {
    return has(kHttpExports[0]) ? CARREL_WORLD_HTTP : CARREL_WORLD_SERVICE3;
  }
  return has(kCommandExports[0]) ? CARREL_WORLD_COMMAND : CARREL_WORLD_COMMAND3;
}

}  // namespace

Result<std::unique_ptr<Linker>> Linker::make_for_components(
    std::shared_ptr<Engine> engine, World world, std::span<const HostFunction> preview1) {
  CARREL_TRY(auto rows, rows_of(preview1));
  std::unique_ptr<Linker> linker(new Linker(std::move(engine), world, std::move(rows)));
  CARREL_TRY_VOID(linker->components(false));
  return linker;
}

Result<carrel_component_linker*> Linker::components(bool concurrent) const {
  carrel_component_linker*& known = components_[concurrent ? 1 : 0];
  if (known != nullptr) return known;
  wasm_engine_t* raw = engine_->raw();
  if (concurrent) {
    CARREL_TRY(raw, engine_->concurrent());
  }
  carrel_buffer error{};
  known = carrel_component_linker_new(raw, &error);
  if (known == nullptr) return fail(Code::internal, take_text(error));
  return known;
}

Result<std::unique_ptr<const Prepared>> Linker::prepare_component(
    std::shared_ptr<const Module> module) const {
  CARREL_TRY(const carrel_component_linker* const linker, components(module->concurrent()));
  carrel_buffer error{};
  carrel_component_pre* pre =
      carrel_component_prepare(linker, module->component(), world_of(*module, world_), &error);
  if (pre == nullptr) {
    return fail(Code::unknown_import,
                fmt::format("the component does not fit its world: {}", take_text(error)),
                "`carrel inspect FILE` shows what it imports and exports");
  }
  return std::unique_ptr<const Prepared>(new Prepared(std::move(module), pre, preview1_));
}

}  // namespace carrel::wasm
