// A module: compiled code ready to be instantiated, and what it imports and exports. A core module
// or a component.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "wasm/engine.h"

struct wasmtime_module;
struct carrel_component;

namespace carrel::wasm {

// "func (i32 i64) -> i32", "memory", "table", "global": enough for messages and for detecting an
// ABI. A component's imports have names alone ("wasi:http/types@0.2.3"), and are an "instance",
// "func" and the like, as its exports are.
struct ImportName {
  std::string module, name, type;
};
struct ExportName {
  std::string name, type;
};

// How many imports, exports and memories a module may have: each costs the host work and memory.
inline constexpr std::size_t kMaxImports = 1000;
inline constexpr std::size_t kMaxExports = 10'000;
inline constexpr std::size_t kMaxMemories = 1;

// Counts them in a binary module by its sections' headers, and the memories of each module within a
// component. Errors: invalid_module for too many; what is malformed is left to the validator.
Result<void> check_counts(std::span<const std::byte> wasm);

// What a file is, by its first bytes.
enum class Binary { core_module, component, text, unknown };
Binary binary_kind(std::span<const std::byte> bytes);

// Immutable. Shared by all shards. Thread-safe. Its mappings go when the last owner does.
class Module {
 public:
  // Maps code that `Engine::compile` made and nobody else could have changed: loading foreign bytes
  // would run them. Errors: compile_failed when it was made for another engine, or asks for more
  // than a slot has.
  static Result<std::shared_ptr<const Module>> map_code(std::shared_ptr<Engine> engine,
                                                        const std::filesystem::path& file);
  // The same from memory, which is copied.
  static Result<std::shared_ptr<const Module>> load_code(std::shared_ptr<Engine> engine,
                                                         std::span<const std::byte> code);
  // Compiles in this process; for tests and trusted input.
  static Result<std::shared_ptr<const Module>> compile(std::shared_ptr<Engine> engine,
                                                       std::span<const std::byte> wasm);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  std::vector<ImportName> imports() const;
  std::vector<ExportName> exports() const;
  std::string wit() const;  // of a component: its world
  std::size_t code_bytes() const;
  // Bytes of its exported memory at the start; 0: none.
  std::uint64_t least_memory() const { return least_memory_; }
  // How many of the engine's slots an instance takes: a composed component several.
  std::size_t slots() const { return slots_; }

  const std::shared_ptr<Engine>& engine() const { return engine_; }
  bool is_component() const { return component_ != nullptr; }
  bool concurrent() const { return concurrent_; }      // a component of `Engine::concurrent`
  const wasmtime_module* raw() const { return raw_; }  // of a core module
  const carrel_component* component() const { return component_; }  // of a component

 private:
  Module(std::shared_ptr<Engine> engine, wasmtime_module* raw);
  Module(std::shared_ptr<Engine> engine, carrel_component* component, bool concurrent);
  template <typename Load>
  static Result<std::shared_ptr<const Module>> load_component(std::shared_ptr<Engine> engine,
                                                              Load load, std::string as_module);
  std::shared_ptr<Engine> engine_;
  wasmtime_module* raw_ = nullptr;
  carrel_component* component_ = nullptr;
  bool concurrent_ = false;
  std::uint64_t least_memory_ = 0;
  std::size_t slots_ = 1;
};

}  // namespace carrel::wasm
