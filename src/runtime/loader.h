// The loader: from a module's file to code that a shard can run, off the shards' threads.
//
// Compiling happens in a child process and is cached on disk (wasm/code_cache.h), so a module that
// was seen before is mapped in a fraction of a millisecond. Modules that no shard uses are
// unmapped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "abi/abi.h"
#include "async/shard.h"
#include "wasm/code_cache.h"
#include "wasm/module.h"

namespace carrel::runtime {

// Slots of the engine's pool for each place of a turn: what a turn leaves of them keeps memory warm
// for modules that wait for their next one.
inline constexpr std::size_t kSlotsAPlace = 2;

// A module that has been checked and can be run: which bytes, and how to speak to them. Immutable;
// shared.
struct Program {
  std::array<std::byte, 32> identity{};  // SHA-256 of the file
  const abi::Abi* abi = nullptr;
  std::size_t places = 1;  // that a turn takes of its shard's
  std::filesystem::path file;
  std::string digest;  // the identity, hexadecimal
};

// Every ABI this build speaks, in the order in which modules are matched.
std::span<const abi::Abi* const> known_abis();

// Owner: the composition root; outlives the shards and their runtimes. Thread-safe. Stops:
// destruction joins its threads, after the compilation in progress; no task may wait in `load` any
// more.
class Loader {
 public:
  // `most_places`: that a program may take of a shard's (Admission).
  Loader(std::shared_ptr<wasm::Engine> engine, std::shared_ptr<wasm::CodeCache> cache,
         unsigned threads, std::size_t most_places = SIZE_MAX);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  const std::shared_ptr<wasm::Engine>& engine() const { return engine_; }
  const wasm::CodeCache& cache() const;

  // Reads, compiles if need be, and checks a file: blocks, for deployments and the command line.
  // Errors: not_found, module_too_large, invalid_module, compile_failed, unknown_abi,
  // unknown_import.
  Result<std::shared_ptr<const Program>> check(const std::filesystem::path& file);

  // The program's code, mapped; waits on `shard` if it has to be brought in.
  // Errors: as above; unavailable when the file has changed since it was checked.
  async::Task<Result<std::shared_ptr<const wasm::Module>>> load(
      async::Shard& shard, std::shared_ptr<const Program> program);

  // The same, blocking.
  Result<std::shared_ptr<const wasm::Module>> load_now(const Program& program);

 private:
  struct Impl;
  struct Waiter;
  std::shared_ptr<wasm::Engine> engine_;
  std::size_t most_places_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::runtime
