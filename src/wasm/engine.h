// The engine: compiles and runs modules for the whole process, with settings derived from the
// machine.
//
// Made in Rust (engine/), where every setting is reachable and a refused one is an error instead of
// an abort. Instances live in a pool of slots; a guest is interrupted by epochs, which a ticker
// thread advances every millisecond while any guest runs.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

struct wasm_engine_t;

namespace carrel::wasm {

class Ticker;

// Sizes in bytes.
struct EngineSettings {
  std::uint32_t slots = 256;       // instances that live at once, in the whole process
  std::uint32_t warm_slots = 100;  // unused, which keep the memory of the module they had
  std::uint64_t max_memory = 512ULL << 20;
  std::uint64_t memory_reservation = 4ULL << 30;
  std::uint64_t memory_guard = 32ULL << 20;
  std::uint64_t memory_keep_resident =
      128ULL << 10;  // of a memory, wiped by copying instead of given back
  std::uint64_t table_keep_resident = 16ULL << 10;
  std::uint64_t stack_keep_resident = 16ULL << 10;
  std::uint64_t wasm_stack = 512ULL << 10;
  std::uint64_t async_stack = 2ULL << 20;
  std::uint64_t max_instance = 1ULL << 20;
  std::uint32_t table_elements = 100'000;
  bool pooling = true;
  std::uint32_t decommit_batch = 1;  // slots whose memory is given back to the kernel in one call
  // Wipes only the pages that the kernel calls written. Fast, but pages that are swapped out or on
  // the move at that moment are missed: only where nobody is kept from anybody.
  bool pagemap_scan = false;
  bool parallel_compilation = false;
};

// What this machine bears: memory, address space (RLIMIT_AS) and mappings (vm.max_map_count) bound
// the slots.
EngineSettings settings_for_this_machine();

// Slots of the engine for components of WASI 0.3. As many as guests may live at once: each of their
// memories counts for a guest.
std::uint32_t slots_for_concurrency(const EngineSettings& settings);

// A setting as `carrel doctor` shows it.
struct SettingNote {
  std::string_view name;
  std::string value;  // "3 MiB", "1000"
  std::string_view why;
};
std::vector<SettingNote> explain(const EngineSettings& settings);

// Shared by all shards. Thread-safe. Stops: destruction joins the ticker; no store may be left.
class Engine {
 public:
  // Errors: invalid_config when a setting is refused or the pool cannot be mapped.
  static Result<std::shared_ptr<Engine>> make(const EngineSettings& settings);
  // One that only compiles: it starts no thread, and no guest may run on it.
  static Result<std::shared_ptr<Engine>> make_for_compiling(const EngineSettings& settings);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const EngineSettings& settings() const { return settings_; }
  wasm_engine_t* raw() const { return raw_; }
  // With half the slots, for components of WASI 0.3: to let one instance do
  // several things at once makes every call of a component dearer, so others do without. Made when
  // it is first asked for. Errors: invalid_config when its pool cannot be mapped.
  Result<wasm_engine_t*> concurrent() const;

  // Changes whenever code compiled by one engine cannot be loaded by another: version, settings,
  // processor.
  std::uint64_t compatibility() const;

  // Validates and compiles in this process: for trusted modules, and inside the compiling child.
  // Errors: invalid_module with the validator's text.
  Result<std::vector<std::byte>> compile(std::span<const std::byte> wasm) const;

  Ticker& ticker() { return *ticker_; }

 private:
  Engine(const EngineSettings& settings, wasm_engine_t* raw);
  EngineSettings settings_;
  wasm_engine_t* raw_;
  mutable std::mutex making_;
  mutable wasm_engine_t* concurrent_ = nullptr;  // under `making_`
  std::unique_ptr<Ticker> ticker_;
};

// WAT text to a binary module; a binary is copied. Errors: invalid_module with line and column.
Result<std::vector<std::byte>> wat_to_wasm(std::string_view text);

}  // namespace carrel::wasm
