// For this room's tests: an engine, a shard and a linker, and one call into a module given as text.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "wasm/instance.h"

namespace carrel::wasm::testing {

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline EngineSettings small_engine() {
  EngineSettings settings;
  settings.slots = 4;
  return settings;
}

// Limits so wide that only the test's own ones can end a guest.
inline CallLimits wide_limits() { return {.cpu = std::chrono::seconds(60)}; }

class TestRoom {
 public:
  explicit TestRoom(std::span<const HostFunction> functions = {},
                    EngineSettings settings = small_engine()) {
    auto made = Engine::make(settings);
    EXPECT_TRUE(made) << made.error().describe();
    engine = *made;
    auto linker_made = Linker::make(engine, functions);
    EXPECT_TRUE(linker_made) << linker_made.error().describe();
    linker = std::move(*linker_made);
  }

  std::unique_ptr<const Prepared> prepare(std::string_view wat) {
    auto module = Module::compile(engine, bytes_of(wat));
    EXPECT_TRUE(module) << module.error().describe();
    auto prepared = linker->prepare(*module);
    EXPECT_TRUE(prepared) << prepared.error().describe();
    return std::move(*prepared);
  }

  Outcome call(const Prepared& prepared, const CallLimits& limits = wide_limits(),
               void* state = nullptr, std::string_view name = "run") {
    Outcome outcome;
    shard.run_until_done(call_into(*this, prepared, limits, state, name, &outcome));
    return outcome;
  }

  Outcome run(std::string_view wat, const CallLimits& limits = wide_limits(),
              void* state = nullptr) {
    return call(*prepare(wat), limits, state);
  }

  std::shared_ptr<Engine> engine;
  std::unique_ptr<Linker> linker;
  async::Shard shard;
  async::RunAccount account;

 private:
  static async::Task<void> call_into(TestRoom& room, const Prepared& prepared, CallLimits limits,
                                     void* state, std::string_view name, Outcome* outcome) {
    Instance instance(room.shard, room.account, prepared, state, limits);
    *outcome = co_await instance.run(name);
  }
};

}  // namespace carrel::wasm::testing
