// A guest ABI: how a turn is put to a module, how its answer is read, and what the module may
// import.
//
// An ABI is recognised by a module's imports and exports, never by the name of a file. Each is one
// folder here; `runtime/` is the only caller.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "async/shard.h"
#include "turn/turn.h"
#include "wasm/host.h"
#include "wasm/linker.h"
#include "wasm/module.h"

namespace carrel::abi {

struct Shape {
  std::vector<wasm::ImportName> imports;
  std::vector<wasm::ExportName> exports;
};

// Immutable and stateless. Thread-safe.
class Abi {
 public:
  virtual ~Abi() = default;
  virtual std::string_view name() const = 0;         // "command"
  virtual std::string_view description() const = 0;  // one line for `carrel inspect`
  virtual bool speaks(const Shape& shape) const = 0;
  virtual std::span<const wasm::HostFunction> imports() const = 0;
  // Whether an instance can serve more than one turn.
  virtual bool reuses_instances() const { return false; }
  // Against which its modules are prepared.
  virtual Result<std::unique_ptr<wasm::Linker>> make_linker(
      std::shared_ptr<wasm::Engine> engine) const {
    return wasm::Linker::make(std::move(engine), imports());
  }

  // Runs one turn to its end on `shard` in a fresh instance of `module`, which `account` pays for.
  // The reply has been given, but for the outcome's `rest`, or the outcome has an error. Destroying
  // the task cancels the turn.
  virtual async::Task<turn::Outcome> run(async::Shard& shard, async::RunAccount& account,
                                         const wasm::Prepared& module, turn::Turn& turn) const = 0;
};

}  // namespace carrel::abi
