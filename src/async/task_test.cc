#include "async/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "async/any_of.h"
#include "async/event.h"
#include "async/first_of.h"
#include "async/gate.h"
#include "async/stream.h"

namespace carrel::async {
namespace {

Task<int> answer() { co_return 42; }
Task<void> store(int* into) { *into = co_await answer(); }
Task<void> wait(Event* event) { co_await *event; }
Task<void> hold(Event* event, std::shared_ptr<int> held) {
  co_await *event;
  (void)held;
}
Task<void> choose(Event* first, Event* second, int* which) {
  *which = co_await first_of(wait(first), wait(second));
}
Task<void> nothing() { co_return; }
Task<void> choose_ready(Event* never, int* which) {
  *which = co_await first_of(nothing(), wait(never));
}
Task<void> signal(Event* event, Event* then_wait_for) {
  event->signal();
  co_await *then_wait_for;
}
Task<void> choose_ended_by_the_second(Event* first, Event* never, int* which) {
  *which = co_await first_of(wait(first), signal(first, never));
}
Task<void> choose_of_many(Event* first, Event* never, std::size_t* which) {
  std::vector<Task<void>> tasks;
  tasks.push_back(wait(never));
  tasks.push_back(wait(first));
  tasks.push_back(signal(first, never + 1));
  *which = co_await any_of(std::move(tasks));
}
Task<void> close(Gate* gate, bool* closed) {
  co_await gate->close();
  *closed = true;
}

TEST(Task, DoesNothingBeforeItIsStarted) {
  int value = 0;
  auto task = store(&value);
  EXPECT_EQ(value, 0);
  task.start();
  EXPECT_EQ(value, 42);
  EXPECT_TRUE(task.done());
}

TEST(Task, FreesWhatItHoldsWhenItIsDestroyed) {
  Event event;
  auto held = std::make_shared<int>(1);
  auto task = hold(&event, held);
  task.start();
  EXPECT_EQ(held.use_count(), 2);
  task = {};
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(event.waiting());
}

TEST(Event, RemembersASignalThatNobodyWaitedFor) {
  Event event;
  event.signal();
  auto task = wait(&event);
  task.start();
  EXPECT_TRUE(task.done());
  auto again = wait(&event);
  again.start();
  EXPECT_FALSE(again.done());
}

TEST(FirstOf, SaysWhichEndedAndCancelsTheOther) {
  Event first;
  Event second;
  int which = -1;
  auto task = choose(&first, &second, &which);
  task.start();
  second.signal();
  EXPECT_EQ(which, 1);
  EXPECT_FALSE(first.waiting());
}

TEST(FirstOf, NeedNotStartTheSecondWhenTheFirstIsReady) {
  Event never;
  int which = -1;
  auto task = choose_ready(&never, &which);
  task.start();
  EXPECT_EQ(which, 0);
  EXPECT_FALSE(never.waiting());
}

TEST(FirstOf, CancelsBothWhenItIsDestroyed) {
  Event first;
  Event second;
  int which = -1;
  auto task = choose(&first, &second, &which);
  task.start();
  task = {};
  EXPECT_FALSE(first.waiting());
  EXPECT_FALSE(second.waiting());
  EXPECT_EQ(which, -1);
}

TEST(FirstOf, SeesThatStartingTheSecondHasEndedTheFirst) {
  Event first;
  Event never;
  int which = -1;
  auto task = choose_ended_by_the_second(&first, &never, &which);
  task.start();
  EXPECT_EQ(which, 0);
  EXPECT_FALSE(never.waiting());
}

TEST(AnyOf, SeesThatStartingALaterTaskHasEndedAnEarlierOne) {
  Event first;
  Event never[2];
  std::size_t which = 99;
  auto task = choose_of_many(&first, never, &which);
  task.start();
  EXPECT_EQ(which, 1u);
  EXPECT_FALSE(never[0].waiting() || never[1].waiting());
}

TEST(Gate, ClosesAtOnceWhenNobodyIsInside) {
  Gate gate;
  bool closed = false;
  auto task = close(&gate, &closed);
  task.start();
  EXPECT_TRUE(closed);
}

TEST(Gate, ClosesOnceTheLastHasLeft) {
  Gate gate;
  Event one;
  Event two;
  gate.spawn(wait(&one));
  gate.spawn(wait(&two));
  bool closed = false;
  auto task = close(&gate, &closed);
  task.start();
  EXPECT_TRUE(gate.closed());
  one.signal();
  EXPECT_FALSE(closed);
  two.signal();
  EXPECT_TRUE(closed);
}

TEST(Gate, WaitsForWhoCameInAfterItWasEmptyOnce) {
  Gate gate;
  gate.refuse();
  {
    Gate::Pass gone = gate.enter();
  }
  Gate::Pass pass = gate.enter();
  bool closed = false;
  auto task = close(&gate, &closed);
  task.start();
  EXPECT_FALSE(closed);
  {
    Gate::Pass leaving = std::move(pass);
  }
  EXPECT_TRUE(closed);
}

TEST(Gate, CountsPassesThatAreMoved) {
  Gate gate;
  {
    Gate::Pass pass = gate.enter();
    Gate::Pass other = std::move(pass);
    EXPECT_EQ(gate.inside(), 1u);
  }
  EXPECT_EQ(gate.inside(), 0u);
}

TEST(MemorySource, GivesItsBytesOnceInOrder) {
  MemorySource source("hello");
  std::byte three[3];
  EXPECT_EQ(source.read(three), 3u);
  EXPECT_FALSE(source.finished());
  EXPECT_EQ(source.read(three), 2u);
  EXPECT_TRUE(source.finished());
  EXPECT_EQ(source.read(three), 0u);
}

}  // namespace
}  // namespace carrel::async
