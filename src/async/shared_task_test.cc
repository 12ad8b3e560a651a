#include "async/shared_task.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "async/event.h"

namespace carrel::async {
namespace {

Task<void> until(Event* event) { co_await *event; }
Task<void> until_rung(Bell* bell, int* woken) {
  co_await *bell;
  ++*woken;
}
Task<void> until_ended(SharedTask* shared, int* woken) {
  co_await SharedTask::end_of(shared);
  ++*woken;
}

// Ends something once it is woken.
Task<void> until_rung_then_drop(Bell* bell, std::vector<Task<void>>* others) {
  co_await *bell;
  others->clear();
}
template <typename T>
Task<void> until_ended_then_drop(SharedTask* shared, std::optional<T>* it) {
  co_await SharedTask::end_of(shared);
  it->reset();
}
Task<void> until_ended_then_put_away(SharedTask* shared) {
  co_await SharedTask::end_of(shared);
  shared->put_away();
}

TEST(Bell, WakesAllWhoWait) {
  Bell bell;
  int woken = 0;
  bell.ring();
  auto first = until_rung(&bell, &woken), second = until_rung(&bell, &woken);
  first.start();
  second.start();
  EXPECT_TRUE(bell.waiting());
  EXPECT_EQ(woken, 0) << "nothing is remembered";
  bell.ring();
  EXPECT_EQ(woken, 2);
  EXPECT_FALSE(bell.waiting());
}

TEST(Bell, ForgetsWhoIsGoneEvenWhileItRings) {
  Bell bell;
  int woken = 0;
  std::vector<Task<void>> others;
  auto first = until_rung_then_drop(&bell, &others);
  first.start();
  for (int i = 0; i < 3; ++i) others.push_back(until_rung(&bell, &woken));
  for (auto& each : others) each.start();
  others.erase(others.begin() + 1);
  bell.ring();
  EXPECT_EQ(woken, 0);
}

TEST(Bell, MayGoBeforeThoseWhoWait) {
  int woken = 0;
  std::optional<Bell> bell(std::in_place);
  auto first = until_rung(&*bell, &woken), second = until_rung(&*bell, &woken);
  first.start();
  second.start();
  bell.reset();
  EXPECT_EQ(woken, 0);
}

TEST(SharedTask, WakesAllWhoWaitForItsEnd) {
  SharedTask shared;
  Event event;
  int woken = 0;
  EXPECT_FALSE(shared);
  shared.begin(until(&event));
  auto first = until_ended(&shared, &woken), second = until_ended(&shared, &woken);
  auto third = until_ended(&shared, &woken);
  first.start();
  second.start();
  third.start();
  third = {};
  EXPECT_TRUE(shared.running());
  event.signal();
  EXPECT_EQ(woken, 2);
  EXPECT_TRUE(shared.done());
  auto late = until_ended(&shared, &woken);
  late.start();
  EXPECT_TRUE(late.done());
}

struct OneWaits : ::testing::Test {
  OneWaits() {
    shared.begin(until(&event));
    wait.start();
  }
  SharedTask shared;
  Event event;
  int woken = 0;
  Task<void> wait = until_ended(&shared, &woken);
};

TEST_F(OneWaits, GivingUpAWaitLeavesTheTaskAlone) {
  wait = {};
  EXPECT_TRUE(event.waiting());
  shared.put_away();
  EXPECT_FALSE(event.waiting());
}

TEST_F(OneWaits, PuttingTheTaskAwayWakesThem) {
  shared.put_away();
  EXPECT_EQ(woken, 1);
  EXPECT_FALSE(shared);
}

TEST(SharedTask, WhoIsWokenMayPutItAwayOrEndIt) {
  std::optional<SharedTask> shared(std::in_place);
  Event event;
  int woken = 0;
  shared->begin(until(&event));
  auto first = until_ended_then_put_away(&*shared);
  auto second = until_ended(&*shared, &woken);
  first.start();
  second.start();
  event.signal();
  EXPECT_EQ(woken, 1);
  EXPECT_FALSE(*shared);
  shared->begin(until(&event));
  auto third = until_ended_then_drop(&*shared, &shared);
  third.start();
  event.signal();
  EXPECT_FALSE(shared);
}

}  // namespace
}  // namespace carrel::async
