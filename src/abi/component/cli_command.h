// The world wasi:cli/command, 0.2 or 0.3: a component that exports `wasi:cli/run`. It is put to use
// like a WASI command: a request reaches it as CGI/1.1, any other event as standard input and CE_*
// variables; what it prints is the reply; `run` without an error is success.
#pragma once

#include "abi/abi.h"

namespace carrel::abi::component {

class CliCommand final : public Abi {
 public:
  std::string_view name() const override { return "cli-command"; }
  std::string_view description() const override {
    return "a component of the world wasi:cli/command, 0.2 or 0.3: as a WASI command";
  }
  bool speaks(const Shape& shape) const override;
  std::span<const wasm::HostFunction> imports() const override { return {}; }
  Result<std::unique_ptr<wasm::Linker>> make_linker(
      std::shared_ptr<wasm::Engine> engine) const override;
  async::Task<turn::Outcome> run(async::Shard& shard, async::RunAccount& account,
                                 const wasm::Prepared& module, turn::Turn& turn) const override;
};

}  // namespace carrel::abi::component
