// A shard's linker: the host functions an ABI offers, and modules prepared against them.
#pragma once

#include <memory>
#include <span>

#include "wasm/host.h"
#include "wasm/module.h"

struct wasmtime_linker;
struct wasmtime_instance_pre;

namespace carrel::wasm {

// A module whose imports have been checked and resolved once, so that an instance costs
// microseconds. Owner and thread: one shard. Immutable.
class Prepared {
 public:
  ~Prepared();
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  const Module& module() const { return *module_; }
  wasmtime_instance_pre* raw() const { return raw_; }
  // Bytes that its exported memory has at the start.
  std::uint64_t least_memory() const { return module_->least_memory(); }

 private:
  friend class Linker;
  Prepared(std::shared_ptr<const Module> module, wasmtime_instance_pre* raw)
      : module_(std::move(module)), raw_(raw) {}
  std::shared_ptr<const Module> module_;
  wasmtime_instance_pre* raw_;
};

// Owner and thread: one shard; one for each ABI.
class Linker {
 public:
  // `functions` must outlive the linker. Errors: internal for a row with an unknown signature.
  static Result<std::unique_ptr<Linker>> make(std::shared_ptr<Engine> engine,
                                              std::span<const HostFunction> functions);
  ~Linker();
  Linker(const Linker&) = delete;
  Linker& operator=(const Linker&) = delete;

  // Errors: unknown_import naming each import that no row provides, or whose type differs.
  Result<std::unique_ptr<const Prepared>> prepare(std::shared_ptr<const Module> module) const;

 private:
  Linker(std::shared_ptr<Engine> engine, std::span<const HostFunction> functions,
         wasmtime_linker* raw)
      : engine_(std::move(engine)), functions_(functions), raw_(raw) {}
  Result<void> check_imports(const Module& module) const;

  std::shared_ptr<Engine> engine_;
  std::span<const HostFunction> functions_;
  wasmtime_linker* raw_;
};

}  // namespace carrel::wasm
