#include <gmock/gmock.h>

#include <stdexcept>

#include "async/event.h"
#include "wasm/test_room.h"

namespace carrel::wasm {
namespace {

using End = Outcome::End;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using testing::TestRoom;
using testing::wide_limits;

// What the host functions below share with a test.
struct Host {
  async::Shard* shard = nullptr;
  async::Event event;
  int calls = 0;
  int cancelled = 0;
  std::string seen;
};

Host& host_of(Call& call) { return *static_cast<Host*>(call.state()); }

HostStatus leave(Call& call, const std::uint64_t* args, std::int32_t*) {
  call.exit(static_cast<std::uint32_t>(args[0]));
  return HostStatus::trap;
}

HostStatus give_up(Call& call, const std::uint64_t*, std::int32_t*) {
  call.abort("the host has had enough");
  return HostStatus::trap;
}

HostStatus throws(Call&, const std::uint64_t*, std::int32_t*) {
  throw std::runtime_error("a bug of the host");
}

HostStatus look(Call& call, const std::uint64_t* args, std::int32_t* result) {
  auto text = call.memory().text(GuestPtr{static_cast<std::uint32_t>(args[0])}, args[1]);
  *result = text ? 0 : 21;
  if (text) host_of(call).seen = *text;
  return HostStatus::done;
}

HostStatus wide(Call&, const std::uint64_t* args, std::int32_t* result) {
  *result = args[0] == 0xffffffffU && args[1] == 0xfffffffffffffffeU ? 1 : 0;
  return HostStatus::done;
}

struct CountsCancellation {
  Host* host;
  bool ended = false;
  ~CountsCancellation() {
    if (!ended) ++host->cancelled;
  }
};

async::Task<void> wait_for_event(Host* host) {
  CountsCancellation guard{host};
  co_await host->event;
  guard.ended = true;
}

HostStatus wait(Call& call, const std::uint64_t*, std::int32_t* result) {
  Host& host = host_of(call);
  if (++host.calls == 1) {
    call.wait_for(wait_for_event(&host));
    return HostStatus::pending;
  }
  *result = 7;
  return HostStatus::done;
}

async::Task<void> nothing() { co_return; }

// Ready at once, for ever: a guest must not be able to stay on the shard with it.
HostStatus busy(Call& call, const std::uint64_t*, std::int32_t*) {
  call.wait_for(nothing());
  return HostStatus::pending;
}

// What it waits for is there at once.
HostStatus soon(Call& call, const std::uint64_t*, std::int32_t* result) {
  if (++host_of(call).calls % 2 == 1) {
    call.wait_for(nothing());
    return HostStatus::pending;
  }
  *result = 0;
  return HostStatus::done;
}

HostStatus nap(Call& call, const std::uint64_t*, std::int32_t* result) {
  Host& host = host_of(call);
  if (++host.calls % 2 == 1) {
    call.wait_for(host.shard->sleep_for(Nanos(1)));
    return HostStatus::pending;
  }
  *result = 0;
  return HostStatus::done;
}

HostStatus leaves_in_wait(Call& call, const std::uint64_t*, std::int32_t*) {
  call.exit(3);
  return HostStatus::trap;
}

constexpr HostFunction kFunctions[] = {
    {"host", "exit", "i", leave, Suspends::never, Returns::nothing},
    {"host", "give_up", "", give_up},
    {"host", "throws", "", throws},
    {"host", "throws_late", "", throws, Suspends::maybe},
    {"host", "look", "ii", look},
    {"host", "look_late", "ii", look, Suspends::maybe},
    {"host", "wide", "iI", wide},
    {"host", "wide_late", "iI", wide, Suspends::maybe},
    {"host", "wait", "", wait, Suspends::maybe},
    {"host", "busy", "", busy, Suspends::maybe},
    {"host", "soon", "", soon, Suspends::maybe},
    {"host", "nap", "", nap, Suspends::maybe},
    {"host", "exit_late", "", leaves_in_wait, Suspends::maybe},
};

class HostCalls : public ::testing::Test {
 protected:
  void SetUp() override { host.shard = &room.shard; }
  Outcome run(std::string_view wat, const CallLimits& limits = wide_limits()) {
    return room.run(wat, limits, &host);
  }
  // A module that calls one of the functions without operands and drops its result.
  static std::string calls(std::string_view name) {
    return std::string("(module (import \"host\" \"") + std::string(name) +
           "\" (func $f (result i32))) (func (export \"run\") (drop (call $f))))";
  }
  static async::Task<void> call_into(TestRoom* room, const Prepared* prepared, CallLimits limits,
                                     Host* host, Outcome* outcome) {
    Instance instance(room->shard, room->account, *prepared, host, limits);
    *outcome = co_await instance.run("run");
  }
  // A guest that has been started may have been interrupted by a tick before its first call.
  void run_until_called() {
    while (host.calls == 0) room.shard.run_until_done(room.shard.sleep_for(Nanos()));
  }

  TestRoom room{kFunctions};
  Host host;
};

TEST_F(HostCalls, EndAGuestOnItsOwnWish) {
  const Outcome outcome = run(R"((module (import "host" "exit" (func $exit (param i32)))
      (func (export "run") (call $exit (i32.const 42)))))");
  EXPECT_EQ(outcome.end, End::exited);
  EXPECT_EQ(outcome.exit_code, 42u);
  EXPECT_TRUE(outcome.frames.empty());
}

TEST_F(HostCalls, EndAGuestFromAFunctionThatMaySuspend) {
  const Outcome outcome = run(calls("exit_late"));
  EXPECT_EQ(outcome.end, End::exited);
  EXPECT_EQ(outcome.exit_code, 3u);
}

TEST_F(HostCalls, EndAGuestFromItsStartFunction) {
  const Outcome outcome = run(R"((module (import "host" "exit" (func $exit (param i32)))
      (func $begin (call $exit (i32.const 0))) (start $begin) (func (export "run") unreachable)))");
  EXPECT_EQ(outcome.end, End::exited);
  EXPECT_TRUE(outcome.ok());
}

TEST_F(HostCalls, EndAGuestForAReason) {
  const Outcome outcome = run(calls("give_up"));
  EXPECT_EQ(outcome.end, End::aborted);
  EXPECT_EQ(outcome.trap, "the host has had enough");
}

TEST_F(HostCalls, TurnExceptionsIntoTheEndOfTheGuest) {
  for (const std::string_view name : {"throws", "throws_late"}) {
    const Outcome outcome = run(calls(name));
    EXPECT_EQ(outcome.end, End::aborted);
    EXPECT_THAT(outcome.trap, HasSubstr("a bug of the host"));
  }
}

TEST_F(HostCalls, SeeTheMemoryOfAStartFunction) {
  for (const std::string_view name : {"look", "look_late"}) {
    host.seen.clear();
    const Outcome outcome = run("(module (import \"host\" \"" + std::string(name) +
                                "\" (func $look (param i32 i32) (result i32)))"
                                R"((memory (export "memory") 1) (data (i32.const 8) "hello")
        (func $begin (drop (call $look (i32.const 8) (i32.const 5)))) (start $begin) (func (export "run"))))");
    EXPECT_TRUE(outcome.ok());
    EXPECT_EQ(host.seen, "hello");
  }
}

TEST_F(HostCalls, FailCleanlyForAModuleWithoutMemory) {
  const Outcome outcome =
      run(R"((module (import "host" "look" (func $look (param i32 i32) (result i32)))
      (func (export "run") (if (i32.ne (call $look (i32.const 0) (i32.const 1)) (i32.const 21)) (then unreachable)))))");
  EXPECT_TRUE(outcome.ok()) << outcome.trap;
}

TEST_F(HostCalls, SeeMemoryThatHasGrownSince) {
  const Outcome outcome =
      run(R"((module (import "host" "look" (func $look (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "run")
        (if (i32.ne (call $look (i32.const 65536) (i32.const 1)) (i32.const 21)) (then unreachable))
        (drop (memory.grow (i32.const 1)))
        (if (call $look (i32.const 65536) (i32.const 1)) (then unreachable)))))");
  EXPECT_TRUE(outcome.ok()) << outcome.trap;
}

TEST_F(HostCalls, GetTheirOperandsWhole) {
  for (const std::string name : {"wide", "wide_late"}) {
    const Outcome outcome = run("(module (import \"host\" \"" + name +
                                "\" (func $wide (param i32 i64) (result i32)))"
                                R"((func (export "run")
        (if (i32.ne (call $wide (i32.const -1) (i64.const -2)) (i32.const 1)) (then unreachable)))))");
    EXPECT_TRUE(outcome.ok()) << name << outcome.trap;
  }
}

TEST_F(HostCalls, SuspendTheGuestUntilWhatTheyWaitFor) {
  auto prepared = room.prepare(R"((module (import "host" "wait" (func $wait (result i32)))
      (func (export "run") (if (i32.ne (call $wait) (i32.const 7)) (then unreachable)))))");
  Outcome outcome{.end = End::refused};
  auto task = call_into(&room, prepared.get(), wide_limits(), &host, &outcome);
  task.start();
  run_until_called();
  EXPECT_FALSE(task.done());
  EXPECT_EQ(host.calls, 1);
  host.event.signal();
  EXPECT_FALSE(task.done());  // it queues up like the others
  for (int i = 0; i < 1000 && !task.done(); ++i)
    room.shard.run_until_done(room.shard.sleep_for(Nanos()));
  EXPECT_TRUE(task.done());
  EXPECT_EQ(outcome.end, End::returned) << outcome.trap;
  EXPECT_EQ(host.calls, 2);
}

TEST_F(HostCalls, AreCancelledWithTheirGuest) {
  auto prepared = room.prepare(calls("wait"));
  for (int i = 1; i <= 10; ++i) {  // more often than there are slots
    Outcome outcome;
    auto task = call_into(&room, prepared.get(), wide_limits(), &host, &outcome);
    task.start();
    run_until_called();
    ASSERT_FALSE(task.done());
    task = {};
    EXPECT_EQ(host.cancelled, i);
    host.calls = 0;
  }
}

TEST_F(HostCalls, AreCancelledAtTheDeadline) {
  CallLimits limits = wide_limits();
  limits.deadline = std::chrono::steady_clock::now() + milliseconds(200);
  const Outcome outcome = run(calls("wait"), limits);
  EXPECT_EQ(outcome.end, End::deadline);
  EXPECT_EQ(host.cancelled, 1);
}

TEST_F(HostCalls, AreCancelledInAStartFunction) {
  auto prepared = room.prepare(R"((module (import "host" "wait" (func $wait (result i32)))
      (func $begin (drop (call $wait))) (start $begin) (func (export "run"))))");
  Outcome outcome;
  auto task = call_into(&room, prepared.get(), wide_limits(), &host, &outcome);
  task.start();
  run_until_called();
  ASSERT_FALSE(task.done());
  task = {};
  EXPECT_EQ(host.cancelled, 1);
}

TEST_F(HostCalls, CannotKeepAGuestOnTheShardByWaitingForNothing) {
  CallLimits limits = wide_limits();
  limits.deadline = std::chrono::steady_clock::now() + milliseconds(10);
  EXPECT_EQ(run(calls("busy"), limits).end, End::deadline);
  EXPECT_EQ(run(calls("busy"), {.cpu = milliseconds(5)}).end, End::cpu_limit);
}

TEST_F(HostCalls, GoOnAtOnceWhenWhatTheyWaitForIsThere) {
  EXPECT_EQ(run(calls("soon")).end, End::returned);
  EXPECT_EQ(host.calls, 2);
  EXPECT_EQ(room.shard.run_queue().figures().waited.counts().count(), 0U);
}

TEST_F(HostCalls, CountCpuTimeOfAGuestThatWaitsOften) {
  const Outcome outcome = run(R"((module (import "host" "nap" (func $nap (result i32)))
      (func (export "run") (loop $again (drop (call $nap)) br $again))))",
                              {.cpu = milliseconds(5)});
  EXPECT_EQ(outcome.end, End::cpu_limit);
}

TEST_F(HostCalls, LeaveOthersTheShardWhileTheyWait) {
  auto waiting = room.prepare(calls("wait"));
  Outcome waiter;
  auto task = call_into(&room, waiting.get(), wide_limits(), &host, &waiter);
  task.start();
  EXPECT_TRUE(room.run(R"((module (func (export "run"))))").ok());
  EXPECT_FALSE(task.done());
}

}  // namespace
}  // namespace carrel::wasm
