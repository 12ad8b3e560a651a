#include "wasm/component_instance.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "async/first_of.h"
#include "async/pause.h"
#include "wasm/test_component.h"

namespace carrel::wasm {
namespace {

using End = Outcome::End;
using ::testing::HasSubstr;

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

// The same, but for one function.
std::vector<HostFunction> nothing_but(std::string_view name,
                                      HostStatus (*function)(Call&, const std::uint64_t*,
                                                             std::int32_t*)) {
  std::vector<HostFunction> rows = nothing();
  const auto row = std::ranges::find(rows, name, &HostFunction::name);
  EXPECT_NE(row, rows.end());
  row->function = function;
  return rows;
}

// Waits for standard input `$rounds` times, and sleeps a moment each time.
std::string reader(std::uint64_t rounds) {
  return R"((component
    (import "wasi:io/poll@0.2.0" (instance $poll
      (export "pollable" (type $p (sub resource)))
      (export "[method]pollable.block" (func (param "self" (borrow $p))))))
    (alias export $poll "pollable" (type $pollable))
    (import "wasi:io/streams@0.2.0" (instance $streams
      (alias outer 1 $pollable (type $outer))
      (export "pollable" (type $p (eq $outer)))
      (export "input-stream" (type $in (sub resource)))
      (export "[method]input-stream.subscribe" (func (param "self" (borrow $in)) (result (own $p))))))
    (alias export $streams "input-stream" (type $input))
    (import "wasi:cli/stdin@0.2.0" (instance $stdin
      (alias outer 1 $input (type $outer))
      (export "input-stream" (type $in (eq $outer)))
      (export "get-stdin" (func (result (own $in))))))
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
      (alias outer 1 $pollable (type $outer))
      (export "pollable" (type $p (eq $outer)))
      (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
    (core func $block (canon lower (func $poll "[method]pollable.block")))
    (core func $drop-pollable (canon resource.drop $pollable))
    (core func $drop-input (canon resource.drop $input))
    (core func $subscribe (canon lower (func $streams "[method]input-stream.subscribe")))
    (core func $stdin-get (canon lower (func $stdin "get-stdin")))
    (core func $after (canon lower (func $clock "subscribe-duration")))
    (core module $m
      (import "host" "block" (func $block (param i32)))
      (import "host" "drop-pollable" (func $drop-pollable (param i32)))
      (import "host" "drop-input" (func $drop-input (param i32)))
      (import "host" "subscribe" (func $subscribe (param i32) (result i32)))
      (import "host" "stdin" (func $stdin (result i32)))
      (import "host" "after" (func $after (param i64) (result i32)))
      (func $wait (param $what i32)
        (call $block (local.get $what)) (call $drop-pollable (local.get $what)))
      (func (export "run") (result i32) (local $left i64) (local $in i32)
        (local.set $left (i64.const )" +
         std::to_string(rounds) + R"())
        (loop $next
          (local.set $in (call $stdin))
          (call $wait (call $subscribe (local.get $in)))
          (call $drop-input (local.get $in))
          (call $wait (call $after (i64.const 1)))
          (local.set $left (i64.sub (local.get $left) (i64.const 1)))
          (br_if $next (i64.gt_s (local.get $left) (i64.const 0))))
        (i32.const 0)))
    (core instance $host (export "block" (func $block)) (export "drop-pollable" (func $drop-pollable))
      (export "drop-input" (func $drop-input)) (export "subscribe" (func $subscribe))
      (export "stdin" (func $stdin-get)) (export "after" (func $after)))
    (core instance $i (instantiate $m (with "host" (instance $host))))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $exports))))";
}

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

// Says that it read more than there is room for, which no row of ours does.
HostStatus lie_about_reading(Call& call, const std::uint64_t* operands, std::int32_t* result) {
  EXPECT_TRUE(call.memory().store(GuestPtr{static_cast<std::uint32_t>(operands[3])}, 0x7fff'ffffU));
  *result = 0;
  return HostStatus::done;
}

TEST_F(ComponentInstanceTest, APanicInTheBridgeEndsItsTurnAlone) {
  const auto functions = nothing_but("fd_read", lie_about_reading);
  use(functions);
  auto prepared = prepare(reader(1));
  ASSERT_TRUE(prepared) << prepared.error().describe();
  // More often than there are slots: a panic keeps none.
  for (int i = 0; i < 20; ++i) {
    Outcome outcome;
    shard.run_until_done(run_into(this, prepared->get(), testing::wide_limits(), &outcome));
    ASSERT_EQ(outcome.end, End::trapped) << outcome.trap;
    ASSERT_THAT(outcome.trap, HasSubstr("the engine's host code failed")) << i;
  }
  EXPECT_TRUE(run(command("i32.const 0")).ok());
}

async::Task<void> soon(async::Shard* shard) { co_await async::pause(*shard); }

// Waits each time it is asked anew, as a client's body does; then it is the end.
struct Turns {
  async::Shard* shard;
  bool waited = false;
  int left = 0;  // how often the guest left the shard to others
};

void count_leave(void* state, Instance::Leave) noexcept { ++static_cast<Turns*>(state)->left; }

HostStatus read_after_a_while(Call& call, const std::uint64_t* operands, std::int32_t* result) {
  auto& turns = *static_cast<Turns*>(call.state());
  if (!std::exchange(turns.waited, !turns.waited)) {
    call.wait_for(soon(turns.shard));
    return HostStatus::pending;
  }
  EXPECT_TRUE(call.memory().store(GuestPtr{static_cast<std::uint32_t>(operands[3])}, 0U));
  *result = 0;
  return HostStatus::done;
}

async::Task<void> run_with(ComponentInstanceTest* test, const Prepared* prepared, Turns* turns,
                           Outcome* outcome) {
  ComponentInstance instance(test->shard, test->account, *prepared, turns, testing::wide_limits());
  instance.on_leave(count_leave);
  *outcome = co_await instance.run();
}

async::Task<void> until_left(const Turns* turns, int times) {
  while (turns->left < times) co_await async::pause(*turns->shard);
}

async::Task<void> cancel_after(ComponentInstanceTest* test, const Prepared* prepared, int times,
                               Outcome* outcome, bool* cancelled) {
  Turns turns{.shard = &test->shard};
  *cancelled = co_await async::first_of(run_with(test, prepared, &turns, outcome),
                                        until_left(&turns, times)) == 1;
}

// CARREL_CANCELLATIONS makes it longer: `./dev fault` says 100000.
int cancellations() {
  const char* const text = std::getenv("CARREL_CANCELLATIONS");
  return text == nullptr ? 500 : std::atoi(text);
}

TEST_F(ComponentInstanceTest, CanBeCancelledWhereverItWaits) {
  const auto functions = nothing_but("fd_read", read_after_a_while);
  use(functions);
  auto prepared = prepare(reader(4));
  ASSERT_TRUE(prepared) << prepared.error().describe();
  int times = 1;
  int most = 0;
  int ended = 0;
  for (int i = 0; i < cancellations(); ++i) {
    Outcome outcome;
    bool cancelled = false;
    shard.run_until_done(cancel_after(this, prepared->get(), times, &outcome, &cancelled));
    if (!cancelled) {
      ASSERT_TRUE(outcome.ok()) << outcome.trap;
      ++ended;
    }
    most = std::max(most, cancelled ? times : 0);
    // One place further each time, until it gets through.
    times = cancelled ? times + 1 : 1;
  }
  EXPECT_GE(most, 8);  // four rounds of two waits
  EXPECT_GT(ended, 0);
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
