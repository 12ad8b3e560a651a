#include "wasm/instance.h"

#include <gmock/gmock.h>

#include <thread>

#include "wasm/test_room.h"
#include "wasm/ticker.h"

namespace carrel::wasm {
namespace {

using End = Outcome::End;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using testing::TestRoom;
using testing::wide_limits;

TEST(Instance, RunsAnExportToItsEnd) {
  TestRoom room;
  const Outcome outcome =
      room.run(R"((module (memory (export "memory") 2) (func (export "run"))))");
  EXPECT_EQ(outcome.end, End::returned);
  EXPECT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.memory_peak, 2u << 16);
}

TEST(Instance, SaysWhereAGuestTrapped) {
  TestRoom room;
  const Outcome outcome =
      room.run(R"((module (func $inner unreachable) (func $outer (export "run") call $inner)))");
  EXPECT_EQ(outcome.end, End::trapped);
  EXPECT_EQ(outcome.trap, "unreachable code reached");
  ASSERT_EQ(outcome.frames.size(), 2u);
  EXPECT_EQ(outcome.frames[0].function, "inner");
  EXPECT_EQ(outcome.frames[1].function, "outer");
}

TEST(Instance, RefusesAnExportThatIsNotThere) {
  TestRoom room;
  const Outcome outcome = room.run(R"((module (memory (export "run") 1)))");
  EXPECT_EQ(outcome.end, End::refused);
  EXPECT_THAT(outcome.trap, HasSubstr("\"run\""));
}

TEST(Instance, KeepsTheNamesOfFramesWithinBounds) {
  TestRoom room;
  const std::string name(5000, 'x');
  const Outcome outcome = room.run("(module (func $" + name + " (export \"run\") unreachable))");
  ASSERT_EQ(outcome.frames.size(), 1u);
  EXPECT_EQ(outcome.frames[0].function.size(), 256u);
}

TEST(Instance, EndsAnEndlessLoopAtItsCpuLimit) {
  TestRoom room;
  const Outcome outcome = room.run(
      R"((module (func $spin (export "run") (loop $again br $again))))", {.cpu = milliseconds(5)});
  EXPECT_EQ(outcome.end, End::cpu_limit);
  EXPECT_GE(outcome.cpu, milliseconds(5));
  ASSERT_EQ(outcome.frames.size(), 1u);
  EXPECT_EQ(outcome.frames[0].function, "spin");
}

TEST(Instance, EndsAnEndlessLoopAtItsDeadline) {
  TestRoom room;
  CallLimits limits = wide_limits();
  limits.deadline = std::chrono::steady_clock::now() + milliseconds(5);
  const Outcome outcome =
      room.run(R"((module (func (export "run") (loop $again br $again))))", limits);
  EXPECT_EQ(outcome.end, End::deadline);
}

TEST(Instance, EndsAnEndlessLoopThatFindsTheTickerResting) {
  TestRoom room;
  while (!room.engine->ticker().resting()) std::this_thread::sleep_for(milliseconds(5));
  const Outcome outcome = room.run(R"((module (func (export "run") (loop $again br $again))))",
                                   {.cpu = milliseconds(5)});
  EXPECT_EQ(outcome.end, End::cpu_limit);
  EXPECT_FALSE(room.engine->ticker().resting());
}

TEST(Instance, EndsAnEndlessStartFunction) {
  TestRoom room;
  const Outcome outcome = room.run(
      R"((module (func $spin (loop $again br $again)) (start $spin) (func (export "run"))))",
      {.cpu = milliseconds(5)});
  EXPECT_EQ(outcome.end, End::cpu_limit);
}

TEST(Instance, EndsAStartFunctionThatTraps) {
  TestRoom room;
  const Outcome outcome =
      room.run(R"((module (func $boom unreachable) (start $boom) (func (export "run"))))");
  EXPECT_EQ(outcome.end, End::trapped);
  ASSERT_EQ(outcome.frames.size(), 1u);
  EXPECT_EQ(outcome.frames[0].function, "boom");
}

TEST(Instance, EndsUnboundedRecursion) {
  TestRoom room;
  const Outcome outcome = room.run(
      R"((module (func $down (export "run") (param) (local i64 i64 i64 i64) call $down call $down)))");
  EXPECT_EQ(outcome.end, End::trapped);
  EXPECT_EQ(outcome.trap, "stack overflow");
}

TEST(Instance, EndsALoopOfBulkMemoryOperations) {
  TestRoom room;
  const Outcome outcome = room.run(R"((module (memory (export "memory") 1024)
      (func (export "run") (loop $again
        (memory.fill (i32.const 0) (i32.const 7) (i32.const 67108864)) br $again))))",
                                   {.cpu = milliseconds(20)});
  EXPECT_EQ(outcome.end, End::cpu_limit);
}

TEST(Instance, RefusesToStartWithMoreMemoryThanTheLimit) {
  TestRoom room;
  const Outcome outcome = room.run(
      R"((module (memory (export "memory") 32) (func (export "run"))))", {.memory = 1 << 20});
  EXPECT_EQ(outcome.end, End::refused);
  EXPECT_EQ(outcome.trap,
            "the module needs 2048 KiB of memory to start, and its limit is 1024 KiB");
}

TEST(Instance, RefusesHiddenMemoryOverTheLimitToo) {
  TestRoom room;
  const Outcome outcome =
      room.run(R"((module (memory 32) (func (export "run"))))", {.memory = 1 << 20});
  EXPECT_EQ(outcome.end, End::refused);
  EXPECT_THAT(outcome.trap, HasSubstr("memory"));
}

TEST(Instance, LetsMemoryGrowUpToItsLimitAndNoFurther) {
  TestRoom room;
  const Outcome outcome = room.run(R"((module (memory (export "memory") 1)
      (func (export "run")
        (if (i32.ne (memory.grow (i32.const 15)) (i32.const 1)) (then unreachable))
        (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
        (if (i32.ne (memory.grow (i32.const 65535)) (i32.const -1)) (then unreachable)))))",
                                   {.memory = 1 << 20, .cpu = std::chrono::seconds(60)});
  EXPECT_EQ(outcome.end, End::returned) << outcome.trap;
  EXPECT_EQ(outcome.memory_peak, 1u << 20);
}

TEST(Instance, RefusesADataSegmentOutsideMemory) {
  TestRoom room;
  const Outcome outcome = room.run(
      R"((module (memory (export "memory") 1) (data (i32.const 65535) "ab") (func (export "run"))))");
  EXPECT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.trap, HasSubstr("memory"));
}

TEST(Instance, RefusesAnExportThatTakesOperands) {
  TestRoom room;
  const Outcome outcome = room.run(R"((module (func (export "run") (param i32))))");
  EXPECT_EQ(outcome.end, End::refused);
}

TEST(Instance, GivesItsSlotBack) {
  TestRoom room;
  auto prepared = room.prepare(R"((module (memory (export "memory") 1) (func (export "run"))))");
  for (int round = 0; round < 3; ++round) {
    for (unsigned i = 0; i < 4 * room.engine->settings().slots; ++i) {
      ASSERT_EQ(room.call(*prepared).end, End::returned) << i;
    }
  }
}

TEST(Instance, RunsAModuleWithSeveralTables) {
  TestRoom room;
  EXPECT_TRUE(
      room.run(R"((module (table 4 funcref) (table 4 funcref) (func (export "run"))))").ok());
}

// Fills the memory it has and what it can grow by; the next one looks for anything but zero.
constexpr std::string_view kWriter = R"((module (memory (export "memory") 4)
    (func (export "run")
      (drop (memory.grow (i32.const 60)))
      (memory.fill (i32.const 0) (i32.const 0xa5) (i32.mul (memory.size) (i32.const 65536))))))";
constexpr std::string_view kReader = R"((module (memory (export "memory") 4)
    (func $search (local $at i32) (local $end i32)
      (local.set $end (i32.mul (memory.size) (i32.const 65536)))
      (loop $next
        (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $next (i32.lt_u (local.get $at) (local.get $end)))))
    (func (export "run")
      call $search
      (drop (memory.grow (i32.const 60)))
      call $search)))";

void expect_no_leak(EngineSettings settings) {
  settings.slots = 1;  // both get the same slot
  TestRoom room({}, settings);
  auto writer = room.prepare(kWriter);
  auto reader = room.prepare(kReader);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(room.call(*writer).ok());
    const Outcome outcome = room.call(*reader);
    EXPECT_TRUE(outcome.ok()) << "round " << round << ": " << outcome.trap;
    EXPECT_EQ(outcome.memory_peak, 64u << 16);
  }
}

TEST(Instance, NeverSeesWhatTheLastInstanceOfItsSlotWrote) {
  expect_no_leak(testing::small_engine());
}

TEST(Instance, NeverSeesItAroundTheBoundaryOfResidentMemory) {
  EngineSettings settings = testing::small_engine();
  for (const std::uint64_t keep :
       {0u, 4096u, 65536u, 100u << 10, 256u << 10, 300u << 10, 8u << 20}) {
    settings.memory_keep_resident = keep;
    expect_no_leak(settings);
  }
}

TEST(Instance, NeverSeesItWithPagemapScan) {
  EngineSettings settings = testing::small_engine();
  settings.pagemap_scan = true;
  expect_no_leak(settings);
}

TEST(Instance, StartsWithItsOwnDataAfterAnotherInstanceOverwroteIt) {
  EngineSettings settings = testing::small_engine();
  settings.slots = 1;
  TestRoom room({}, settings);
  auto prepared = room.prepare(R"((module (memory (export "memory") 1) (data (i32.const 100) "\01")
      (global $times (mut i32) (i32.const 0))
      (func (export "run")
        (global.set $times (i32.add (global.get $times) (i32.const 1)))
        (if (i32.ne (global.get $times) (i32.const 1)) (then unreachable))
        (if (i32.ne (i32.load8_u (i32.const 100)) (i32.const 1)) (then unreachable))
        (i32.store8 (i32.const 100) (i32.const 9)))))");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(room.call(*prepared).ok());
}

}  // namespace
}  // namespace carrel::wasm
