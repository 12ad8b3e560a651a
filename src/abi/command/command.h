// The command ABI: a WASI program with `_start`. A request reaches it as CGI/1.1, any other event
// as standard input and CE_* variables; what it prints is the reply; exit status 0 is success.
#pragma once

#include "abi/abi.h"

namespace carrel::abi::command {

class Command final : public Abi {
 public:
  std::string_view name() const override { return "command"; }
  std::string_view description() const override {
    return "a WASI command: CGI/1.1 for HTTP, standard input and output for other events";
  }
  bool speaks(const Shape& shape) const override;
  std::span<const wasm::HostFunction> imports() const override;
  async::Task<turn::Outcome> run(async::Shard& shard, async::RunAccount& account,
                                 const wasm::Prepared& module, turn::Turn& turn) const override;
};

}  // namespace carrel::abi::command
