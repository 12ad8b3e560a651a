// The worlds wasi:http/proxy 0.2 and wasi:http/service 0.3: a component that exports
// `wasi:http/incoming-handler` or `wasi:http/handler`. A request
// reaches it as the world says; the response it makes is the reply. Files are the same as a
// module's, through wasi:filesystem; what it prints goes to its log.
#pragma once

#include "abi/abi.h"

namespace carrel::abi::component {

class HttpProxy final : public Abi {
 public:
  std::string_view name() const override { return "http-proxy"; }
  std::string_view description() const override {
    return "a component of the world wasi:http/proxy 0.2 or wasi:http/service 0.3";
  }
  bool speaks(const Shape& shape) const override;
  std::span<const wasm::HostFunction> imports() const override { return {}; }
  bool reuses_instances() const override { return true; }
  Result<std::unique_ptr<wasm::Linker>> make_linker(
      std::shared_ptr<wasm::Engine> engine) const override;
  async::Task<turn::Outcome> run(async::Shard& shard, async::RunAccount& account,
                                 const wasm::Prepared& module, turn::Turn& turn) const override;
};

}  // namespace carrel::abi::component
