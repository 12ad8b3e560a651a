// What tests of components share: preview 1 that does nothing, a command of WASI 0.2, and a shard
// that runs one.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wasm/component_instance.h"
#include "wasm/raw.h"
#include "wasm/test_room.h"

namespace carrel::wasm {

inline constexpr std::int32_t kNoSuchFunction = 52;

inline HostStatus refuse(Call&, const std::uint64_t*, std::int32_t* result) {
  *result = kNoSuchFunction;
  return HostStatus::done;
}

// Preview 1 that does nothing.
inline const std::vector<HostFunction>& nothing() {
  static const std::vector<HostFunction> rows = [] {
    std::vector<HostFunction> all;
    for (const std::string_view name : {
#define CARREL_NAME(name) std::string_view(#name),
             CARREL_PREVIEW1_FUNCTIONS(CARREL_NAME)
#undef CARREL_NAME
         }) {
      all.push_back(
          {.module = "wasi_snapshot_preview1", .name = name, .params = "", .function = refuse});
    }
    return all;
  }();
  return rows;
}

// A command whose `run` is the given code; it answers 0 for success.
inline std::string command(std::string_view code, std::string_view memory = "") {
  return "(component (core module $m " + std::string(memory) +
         "(func (export \"run\") (result i32) " + std::string(code) +
         "))"
         "(core instance $i (instantiate $m))"
         "(func $run (result (result)) (canon lift (core func $i \"run\")))"
         "(instance $exports (export \"run\" (func $run)))"
         "(export \"wasi:cli/run@0.2.3\" (instance $exports)))";
}

struct ComponentInstanceTest : ::testing::Test {
  ComponentInstanceTest() {
    auto made = Engine::make(testing::small_engine());
    EXPECT_TRUE(made) << made.error().describe();
    engine = *made;
    use(nothing());
  }
  // `functions` outlives what is prepared.
  void use(std::span<const HostFunction> functions) {
    auto linker_made = Linker::make_for_components(engine, World::command, functions);
    EXPECT_TRUE(linker_made) << linker_made.error().describe();
    linker = std::move(*linker_made);
  }

  Result<std::unique_ptr<const Prepared>> prepare(std::string_view text) {
    CARREL_TRY(const auto wasm, wat_to_wasm(text));
    CARREL_TRY(auto module, Module::compile(engine, wasm));
    return linker->prepare(std::move(module));
  }

  static async::Task<void> run_into(ComponentInstanceTest* test, const Prepared* prepared,
                                    CallLimits limits, Outcome* outcome) {
    ComponentInstance instance(test->shard, test->account, *prepared, nullptr, limits);
    *outcome = co_await instance.run();
  }
  Outcome run(std::string_view text, const CallLimits& limits = testing::wide_limits()) {
    auto prepared = prepare(text);
    EXPECT_TRUE(prepared) << prepared.error().describe();
    Outcome outcome;
    if (prepared) shard.run_until_done(run_into(this, prepared->get(), limits, &outcome));
    return outcome;
  }

  std::shared_ptr<Engine> engine;
  std::unique_ptr<Linker> linker;
  async::Shard shard;
  async::RunAccount account;
};

}  // namespace carrel::wasm
