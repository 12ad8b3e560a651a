#include "wasm/component_instance.h"

#include <gmock/gmock.h>

#include <list>

#include "wasm/raw.h"
#include "wasm/test_room.h"

namespace carrel::wasm {
namespace {

using End = Outcome::End;
using ::testing::HasSubstr;

constexpr std::int32_t kNoSuchFunction = 52;

HostStatus refuse(Call&, const std::uint64_t*, std::int32_t* result) {
  *result = kNoSuchFunction;
  return HostStatus::done;
}

// Preview 1 that does nothing.
const std::vector<HostFunction>& nothing() {
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
std::string command(std::string_view code, std::string_view memory = "") {
  return "(component (core module $m " + std::string(memory) +
         "(func (export \"run\") (result i32) " + std::string(code) +
         "))"
         "(core instance $i (instantiate $m))"
         "(func $run (result (result)) (canon lift (core func $i \"run\")))"
         "(instance $exports (export \"run\" (func $run)))"
         "(export \"wasi:cli/run@0.2.3\" (instance $exports)))";
}

// Waits as long as `$when` says, in nanoseconds.
std::string sleeper(std::uint64_t nanoseconds) {
  return R"((component
    (import "wasi:io/poll@0.2.0" (instance $poll
      (export "pollable" (type $p (sub resource)))
      (export "[method]pollable.block" (func (param "self" (borrow $p))))))
    (alias export $poll "pollable" (type $pollable))
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
      (alias outer 1 $pollable (type $outer))
      (export "pollable" (type $p (eq $outer)))
      (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
    (core func $block (canon lower (func $poll "[method]pollable.block")))
    (core func $after (canon lower (func $clock "subscribe-duration")))
    (core module $m
      (import "host" "block" (func $block (param i32)))
      (import "host" "after" (func $after (param i64) (result i32)))
      (func (export "run") (result i32)
        (call $block (call $after (i64.const )" +
         std::to_string(nanoseconds) + R"())) (i32.const 0)))
    (core instance $host (export "block" (func $block)) (export "after" (func $after)))
    (core instance $i (instantiate $m (with "host" (instance $host))))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $exports))))";
}

struct ComponentInstanceTest : ::testing::Test {
  ComponentInstanceTest() {
    auto made = Engine::make(testing::small_engine());
    EXPECT_TRUE(made) << made.error().describe();
    engine = *made;
    auto linker_made = Linker::make_for_components(engine, World::command, nothing());
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

TEST_F(ComponentInstanceTest, EndsAsItsRunDoes) {
  EXPECT_TRUE(run(command("i32.const 0")).ok());
  const Outcome failed = run(command("i32.const 1"));
  EXPECT_EQ(failed.end, End::exited);
  EXPECT_EQ(failed.exit_code, 1u);
}

TEST_F(ComponentInstanceTest, SaysWhyAndWhereItTrapped) {
  const Outcome outcome = run(command("unreachable"));
  EXPECT_EQ(outcome.end, End::trapped);
  EXPECT_THAT(outcome.trap, HasSubstr("unreachable"));
  ASSERT_FALSE(outcome.frames.empty());
}

TEST_F(ComponentInstanceTest, IsEndedAtItsCpuLimit) {
  const Outcome outcome =
      run(command("(loop (br 0)) i32.const 0"), {.cpu = std::chrono::milliseconds(20)});
  EXPECT_EQ(outcome.end, End::cpu_limit);
  EXPECT_GE(outcome.cpu, std::chrono::milliseconds(19));
}

TEST_F(ComponentInstanceTest, IsEndedAtItsDeadlineWhereverItIs) {
  const auto soon = [] { return std::chrono::steady_clock::now() + std::chrono::milliseconds(20); };
  CallLimits limits = testing::wide_limits();
  limits.deadline = soon();
  EXPECT_EQ(run(command("(loop (br 0)) i32.const 0"), limits).end, End::deadline);
  limits.deadline = soon();
  EXPECT_EQ(run(sleeper(3'600'000'000'000), limits).end, End::deadline);
}

TEST_F(ComponentInstanceTest, SleepsWithoutARuntimeOfTheThreads) {
  const auto started = std::chrono::steady_clock::now();
  EXPECT_TRUE(run(sleeper(5'000'000)).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(4));
}

TEST_F(ComponentInstanceTest, CountsAllItsMemory) {
  CallLimits limits = testing::wide_limits();
  limits.memory = 4 << 16;
  EXPECT_EQ(run(command("i32.const 0", "(memory 5)"), limits).end, End::refused);
  const Outcome grown = run(command("(drop (memory.grow (i32.const 3))) (i32.ne (memory.grow "
                                    "(i32.const 1)) (i32.const -1))",
                                    "(memory 1)"),
                            limits);
  EXPECT_TRUE(grown.ok()) << grown.trap;
  EXPECT_EQ(grown.memory_peak, 4u << 16);
}

TEST_F(ComponentInstanceTest, CanBeGivenUpAtAnyMoment) {
  auto spins = prepare(command("(loop (br 0)) i32.const 0"));
  auto sleeps = prepare(sleeper(3'600'000'000'000));
  ASSERT_TRUE(spins && sleeps);
  for (int round = 0; round < 200; ++round) {
    Outcome first;
    Outcome second;
    auto one = run_into(this, spins->get(), testing::wide_limits(), &first);
    auto other = run_into(this, sleeps->get(), testing::wide_limits(), &second);
    one.start();
    other.start();
    if (round % 2 == 0) shard.run_queue().run_next();
  }
  EXPECT_TRUE(run(command("i32.const 0")).ok());  // every slot is free again
}

TEST_F(ComponentInstanceTest, LeavesOthersTheShardWhileItSpins) {
  auto spins = prepare(command("(loop (br 0)) i32.const 0"));
  ASSERT_TRUE(spins);
  Outcome spun;
  auto spinning = run_into(this, spins->get(), {.cpu = std::chrono::milliseconds(500)}, &spun);
  spinning.start();
  EXPECT_TRUE(run(command("i32.const 0")).ok());
  EXPECT_FALSE(spinning.done());
}

TEST_F(ComponentInstanceTest, NamesEveryImportThatNothingProvides) {
  const auto refused = prepare(R"((component
      (import "acme:prices/list@1.0.0" (instance (export "get" (func))))
      (import "acme:prices/tax@1.0.0" (instance (export "get" (func))))))");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::unknown_import);
  EXPECT_THAT(refused.error().message(), HasSubstr("acme:prices/list@1.0.0, acme:prices/tax"));
}

TEST_F(ComponentInstanceTest, IsNoCoreModule) {
  EXPECT_FALSE(prepare("(module)"));
  auto core = Linker::make(engine, {});
  ASSERT_TRUE(core);
  auto wasm = wat_to_wasm(command("i32.const 0"));
  ASSERT_TRUE(wasm);
  auto component = Module::compile(engine, *wasm);
  ASSERT_TRUE(component) << component.error().describe();
  EXPECT_FALSE((*core)->prepare(*component));
}

}  // namespace
}  // namespace carrel::wasm
