#include "async/run_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "async/task.h"

namespace carrel::async {
namespace {

using std::chrono::milliseconds;

// Guests that use a millisecond a slice, and who had which slice.
class Slices : public ::testing::Test {
 protected:
  static Task<void> guest(RunQueue* queue, RunAccount* account, int slices, char name, Nanos used,
                          std::string* log) {
    for (int i = 0; i < slices; ++i) {
      co_await queue->turn(*account);
      *log += name;
      queue->charge(*account, used);
    }
  }
  void start(RunAccount& account, int slices, char name, Nanos used = milliseconds(1)) {
    tasks.push_back(guest(&queue, &account, slices, name, used, &log));
    tasks.back().start();
  }
  void run(int slices) {
    for (int i = 0; i < slices && !queue.empty(); ++i) queue.run_next();
  }

  RunQueue queue;
  RunAccount a, b, heavy{3};
  std::string log;
  std::vector<Task<void>> tasks;
};

TEST_F(Slices, AlternateBetweenBusyTenants) {
  start(a, 10, 'a');
  start(b, 10, 'b');
  run(6);
  EXPECT_EQ(std::ranges::count(log, 'a'), 3);
  EXPECT_EQ(std::ranges::count(log, 'b'), 3);
}

TEST_F(Slices, AreSharedByTenantsNotByGuests) {
  for (int i = 0; i < 9; ++i) start(a, 100, 'a');
  start(b, 100, 'b');
  run(20);
  EXPECT_EQ(std::ranges::count(log, 'b'), 10);
}

TEST_F(Slices, GoByWeight) {
  start(a, 100, 'a');
  start(heavy, 100, 'h');
  run(40);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(log, 'h')), 30, 1);
}

TEST_F(Slices, GoToTheNewlyRunnableFirst) {
  start(a, 100, 'a');
  run(50);
  start(b, 1, 'b');
  run(1);
  EXPECT_EQ(log.back(), 'b');
}

TEST_F(Slices, GoToAShortTurnBeforeABurstOfNewTenants) {
  RunAccount small;
  queue.run_at_once(small);
  queue.charge(small, std::chrono::microseconds(100));
  std::vector<std::unique_ptr<RunAccount>> others;
  for (int i = 0; i < 10; ++i) {
    others.push_back(std::make_unique<RunAccount>());
    start(*others.back(), 10, 'o');
  }
  run(1);
  start(small, 1, 's');
  run(1);
  EXPECT_EQ(log, "os");
  tasks.clear();  // before the accounts they wait in
}

TEST_F(Slices, OfManyWithShortTurnsComeInTheirOrder) {
  constexpr std::chrono::microseconds kShort{20};
  std::vector<std::unique_ptr<RunAccount>> all;
  for (char name = 'A'; name < 'Z'; ++name) {
    all.push_back(std::make_unique<RunAccount>());
    queue.run_at_once(*all.back());
    queue.charge(*all.back(), kShort);
  }
  for (char name = 'A'; name < 'Z'; ++name) start(*all[name - 'A'], 10, name, kShort);
  run(50);
  for (char name = 'A'; name < 'Z'; ++name) EXPECT_EQ(std::ranges::count(log, name), 2) << name;
  tasks.clear();  // before the accounts they wait in
}

TEST_F(Slices, ThatNobodyElseWantedAreNotHeldAgainstATenant) {
  for (int i = 0; i < 1000; ++i) {
    queue.run_at_once(a);
    queue.charge(a, milliseconds(1));
  }
  start(b, 100, 'b');
  start(a, 100, 'a');
  run(10);
  EXPECT_GE(std::ranges::count(log, 'a'), 4);
}

TEST_F(Slices, AreNotSavedUpByAnIdleTenant) {
  start(a, 100, 'a');
  run(50);
  start(b, 50, 'b');
  run(10);
  EXPECT_LE(std::ranges::count(log, 'b'), 6);
}

TEST_F(Slices, GoFirstComeFirstServedWithinATenant) {
  start(a, 1, '1');
  start(a, 1, '2');
  start(a, 1, '3');
  run(3);
  EXPECT_EQ(log, "123");
}

TEST_F(Slices, AreGivenUpByWhoIsDestroyed) {
  start(a, 1, '1');
  start(a, 1, '2');
  start(b, 1, 'b');
  tasks[0] = {};
  tasks[2] = {};
  EXPECT_EQ(queue.size(), 1u);
  run(5);
  EXPECT_EQ(log, "2");
}

TEST_F(Slices, MayDestroyAnotherWaiter) {
  start(a, 1, 'a');
  start(b, 1, 'b');
  run(1);
  tasks.clear();
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace carrel::async
