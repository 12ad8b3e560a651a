// A shard's linker: the host functions an ABI offers, and modules prepared against them. Components
// are prepared for a world, whose interfaces are built from preview 1's functions.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "wasm/host.h"
#include "wasm/module.h"

struct wasmtime_linker;
struct wasmtime_instance_pre;
struct carrel_component_linker;
struct carrel_component_pre;

namespace carrel::wasm {

// What a component is run as.
enum class World : std::uint8_t {
  http,     // wasi:http/proxy 0.2 or wasi:http/service 0.3
  command,  // wasi:cli/command 0.2 or 0.3
};

// What a component exports to be of a world: these, with the rest of a version.
inline constexpr std::string_view kHttpExports[] = {"wasi:http/incoming-handler@0.2.",
                                                    "wasi:http/handler@0.3."};
inline constexpr std::string_view kCommandExports[] = {"wasi:cli/run@0.2.", "wasi:cli/run@0.3."};

// The rows that components' interfaces are built from, in the order of the engine's header; by
// whoever runs one.
using Preview1 = std::vector<const HostFunction*>;

// Where a core module exports something (`carrel_export`); nothing: nowhere.
using ExportPlace = std::optional<std::array<std::uint64_t, 2>>;

// A module whose imports have been checked and resolved once, so that an instance costs
// microseconds. Owner and thread: one shard. Immutable.
class Prepared {
 public:
  ~Prepared();
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  const Module& module() const { return *module_; }
  Engine& engine() const { return *engine_; }
  wasmtime_instance_pre* raw() const { return raw_; }             // of a core module
  const ExportPlace& start() const { return start_; }             // of its "_start"
  const ExportPlace& memory() const { return memory_; }           // of its "memory"
  carrel_component_pre* component() const { return component_; }  // of a component
  const Preview1& preview1() const { return *preview1_; }         // of a component
  // Bytes that its exported memory has at the start.
  std::uint64_t least_memory() const { return least_memory_; }

 private:
  friend class Linker;
  Prepared(std::shared_ptr<const Module> module, wasmtime_instance_pre* raw);
  Prepared(std::shared_ptr<const Module> module, carrel_component_pre* component,
           std::shared_ptr<const Preview1> preview1);
  // What an instance asks for lies together: of thousands of modules, no cache holds any.
  wasmtime_instance_pre* raw_ = nullptr;
  carrel_component_pre* component_ = nullptr;
  Engine* engine_;
  std::uint64_t least_memory_;
  ExportPlace start_, memory_;
  std::shared_ptr<const Module> module_;
  std::shared_ptr<const Preview1> preview1_;
};

// Owner and thread: one shard; one for each ABI.
class Linker {
 public:
  // `functions` must outlive the linker. Errors: internal for a row with an unknown signature.
  static Result<std::unique_ptr<Linker>> make(std::shared_ptr<Engine> engine,
                                              std::span<const HostFunction> functions);
  // For components of that world. `preview1` has all of preview 1's rows, and outlives the linker.
  static Result<std::unique_ptr<Linker>> make_for_components(
      std::shared_ptr<Engine> engine, World world, std::span<const HostFunction> preview1);
  ~Linker();
  Linker(const Linker&) = delete;
  Linker& operator=(const Linker&) = delete;

  // Errors: unknown_import naming each import that nothing provides, or whose type differs.
  Result<std::unique_ptr<const Prepared>> prepare(std::shared_ptr<const Module> module) const;

 private:
  Linker(std::shared_ptr<Engine> engine, std::span<const HostFunction> functions,
         wasmtime_linker* raw)
      : engine_(std::move(engine)), functions_(functions), raw_(raw) {}
  Linker(std::shared_ptr<Engine> engine, World world, std::shared_ptr<const Preview1> preview1)
      : engine_(std::move(engine)), world_(world), preview1_(std::move(preview1)) {}
  Result<void> check_imports(const Module& module) const;
  Result<std::unique_ptr<const Prepared>> prepare_component(
      std::shared_ptr<const Module> module) const;
  Result<carrel_component_linker*> components(bool concurrent) const;

  std::shared_ptr<Engine> engine_;
  std::span<const HostFunction> functions_;
  wasmtime_linker* raw_ = nullptr;
  World world_ = World::http;
  // For components of the engine, and of its concurrent one; each made when it is first needed.
  mutable carrel_component_linker* components_[2] = {};
  std::shared_ptr<const Preview1> preview1_;  // null: of core modules
};

}  // namespace carrel::wasm
