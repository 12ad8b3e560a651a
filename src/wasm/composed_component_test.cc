// Components that are composed of several, and what they take of the pool.
#include <gmock/gmock.h>

#include <array>

#include "async/shared_task.h"
#include "wasm/test_component.h"

namespace carrel::wasm {
namespace {

using End = Outcome::End;
using ::testing::HasSubstr;
using ComposedComponent = ComponentInstanceTest;

// Two of them: one calls the other with a text, which is copied from one memory to the other.
std::string composed() {
  return R"((component
    (component $callee
      (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "last") (param $at i32) (param $size i32) (result i32)
          (i32.load8_u (i32.sub (i32.add (local.get $at) (local.get $size)) (i32.const 1)))))
      (core instance $i (instantiate $m))
      (func (export "last") (param "text" string) (result u32)
        (canon lift (core func $i "last") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
    (component $caller
      (import "last" (func $last (param "text" string) (result u32)))
      (core module $room (memory (export "memory") 1) (data (i32.const 8) "hello!"))
      (core instance $own (instantiate $room))
      (core func $lowered (canon lower (func $last) (memory (core memory $own "memory"))))
      (core module $m
        (import "other" "last" (func $last (param i32 i32) (result i32)))
        (func (export "run") (result i32)
          (i32.ne (call $last (i32.const 8) (i32.const 6)) (i32.const 33))))
      (core instance $other (export "last" (func $lowered)))
      (core instance $i (instantiate $m (with "other" (instance $other))))
      (func (export "run") (result (result)) (canon lift (core func $i "run"))))
    (instance $a (instantiate $callee))
    (instance $b (instantiate $caller (with "last" (func $a "last"))))
    (instance $exports (export "run" (func $b "run")))
    (export "wasi:cli/run@0.2.3" (instance $exports))))";
}

// Of so many instances, each with so many memories.
std::string with_memories(int instances, int each) {
  std::string text = "(component (core module $m ";
  for (int i = 0; i < each; ++i) text += "(memory 1)";
  text += R"((func (export "run") (result i32) i32.const 0)) (core instance $i (instantiate $m)))";
  for (int i = 1; i < instances; ++i) text += " (core instance (instantiate $m))";
  return text + R"((func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.3" (instance $exports))))";
}

TEST_F(ComposedComponent, RunsWhatIsComposedOfSeveral) {
  CallLimits limits = testing::wide_limits();
  limits.memory = 2 << 16;
  const Outcome outcome = run(composed(), limits);
  EXPECT_TRUE(outcome.ok()) << outcome.trap;
  EXPECT_EQ(outcome.memory_peak, 2u << 16);
  limits.memory = (2 << 16) - 1;
  EXPECT_EQ(run(composed(), limits).end, End::refused) << "the limit is for all of them together";
}

TEST_F(ComposedComponent, TakesAsManySlotsAsItHasMemories) {
  EXPECT_EQ(prepare(command("i32.const 0"))->get()->module().slots(), 1u);
  EXPECT_EQ(prepare(composed())->get()->module().slots(), 2u);
  EXPECT_EQ(prepare(with_memories(8, 1))->get()->module().slots(), 8u);
  const auto many = prepare(with_memories(9, 1));
  ASSERT_FALSE(many);
  EXPECT_THAT(many.error().message(), HasSubstr("9 Wasm linear memories"));
  const auto two = prepare(with_memories(1, 2));
  ASSERT_FALSE(two);
  EXPECT_THAT(two.error().message(), HasSubstr("defined memories count of 2"));
}

// Calls so many others at once, each of which waits for the clock on a stack of its own.
std::string waiters(int count) {
  std::string text = R"((component
    (import "wasi:clocks/monotonic-clock@0.3.0" (instance $clock
      (export "wait-for" (func async (param "how-long" u64)))))
    (component $waiter
      (import "wait" (func $wait async (param "how-long" u64)))
      (core func $lowered (canon lower (func $wait)))
      (core module $m
        (import "host" "wait" (func $wait (param i64)))
        (func (export "run") (call $wait (i64.const 5000000))))
      (core instance $host (export "wait" (func $lowered)))
      (core instance $i (instantiate $m (with "host" (instance $host))))
      (func (export "run") async (canon lift (core func $i "run")))))";
  std::string instances, given, taken, imports, exports, calls, waits;
  for (int i = 0; i < count; ++i) {
    const std::string name = "$w" + std::to_string(i), quoted = "\"w" + std::to_string(i) + "\"";
    instances +=
        "(instance " + name + R"( (instantiate $waiter (with "wait" (func $clock "wait-for")))))";
    given += "(with " + quoted + " (func " + name + R"( "run")))";
    taken += "(import " + quoted + " (func " + name + " async))";
    taken += "(core func " + name + " (canon lower (func " + name + ") async))";
    imports += R"((import "host" )" + quoted + " (func " + name + " (result i32)))";
    exports += "(export " + quoted + " (func " + name + "))";
    calls += "(call $join (i32.shr_u (call " + name + ") (i32.const 4)) (local.get $set))";
    waits += "(drop (call $next (local.get $set) (i32.const 0)))";
  }
  return text + "(component $caller" + taken + R"(
      (core module $room (memory (export "memory") 1))
      (core instance $own (instantiate $room))
      (core func $new (canon waitable-set.new))
      (core func $join (canon waitable.join))
      (core func $next (canon waitable-set.wait (memory (core memory $own "memory"))))
      (core module $m
        (import "host" "new" (func $new (result i32)))
        (import "host" "join" (func $join (param i32 i32)))
        (import "host" "next" (func $next (param i32 i32) (result i32))))" +
         imports +
         R"((func (export "run") (result i32) (local $set i32) (local.set $set (call $new)))" +
         calls + waits + R"((i32.const 0)))
      (core instance $host (export "new" (func $new)) (export "join" (func $join))
        (export "next" (func $next)))" +
         exports + R"()
      (core instance $i (instantiate $m (with "host" (instance $host))))
      (func (export "run") async (result (result)) (canon lift (core func $i "run")))))" +
         instances + "(instance $c (instantiate $caller" + given + R"())
    (instance $exports (export "run" (func $c "run")))
    (export "wasi:cli/run@0.3.0" (instance $exports))))";
}

TEST_F(ComposedComponent, HoldsNoMoreStacksThanItsSlotsHave) {
  const auto prepared = prepare(waiters(2));
  ASSERT_TRUE(prepared) << prepared.error().describe();
  EXPECT_EQ((*prepared)->module().slots(), 1u);
  // Every slot is taken, and there are stacks for all.
  Outcome outcomes[4];
  std::array<async::SharedTask, 4> all;
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i].begin(run_into(this, prepared->get(), testing::wide_limits(), &outcomes[i]));
  EXPECT_EQ(run(waiters(3)).end, End::refused) << "there is no slot left";
  for (auto& one : all) shard.run_until_done(async::SharedTask::end_of(&one));
  for (const Outcome& outcome : outcomes) EXPECT_TRUE(outcome.ok()) << outcome.trap;

  for (const int count : {3, 40}) {
    const Outcome outcome = run(waiters(count));
    EXPECT_EQ(outcome.end, End::trapped);
    EXPECT_THAT(outcome.trap, HasSubstr("more than 3 calls of the component")) << count;
  }
  EXPECT_TRUE(run(waiters(2)).ok());
}

}  // namespace
}  // namespace carrel::wasm
