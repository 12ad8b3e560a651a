#include "async/shard.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

namespace carrel::async {
namespace {

Task<void> note(std::vector<int>* log, int value) {
  log->push_back(value);
  co_return;
}
Task<void> sleep(Shard* shard, Nanos duration, bool* woke) {
  co_await shard->sleep_for(duration);
  *woke = true;
}
Task<void> nothing() { co_return; }
Task<void> slices(Shard* shard, RunAccount* account, int count, int* had) {
  for (; *had < count; ++*had) co_await shard->run_queue().turn(*account);
}

TEST(Shard, RunsTasksToTheirEndMoreThanOnce) {
  Shard shard;
  std::vector<int> log;
  for (int i = 0; i < 3; ++i) shard.run_until_done(note(&log, i));
  EXPECT_EQ(log, (std::vector<int>{0, 1, 2}));
}

TEST(Shard, RunsSubmittedWorkInOrderFromEveryThread) {
  Shard shard;
  constexpr int kThreads = 4;
  constexpr int kEach = 1000;
  std::vector<int> seen[kThreads];
  std::atomic<int> left = kThreads * kEach;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        shard.submit([&, t, i] {
          seen[t].push_back(i);
          if (left.fetch_sub(1) == 1) shard.stop();
        });
      }
    });
  }
  shard.run();
  for (auto& thread : threads) thread.join();
  std::vector<int> expected(kEach);
  std::iota(expected.begin(), expected.end(), 0);
  for (const auto& one : seen) EXPECT_EQ(one, expected);
}

TEST(Shard, StopsFromAnotherThreadWhileGuestsAreBusy) {
  Shard shard;
  RunAccount account;
  int had = 0;
  auto busy = slices(&shard, &account, 1 << 30, &had);
  busy.start();
  std::thread other([&] { shard.stop(); });
  shard.run();
  other.join();
  SUCCEED();
}

TEST(Shard, WakesASleeper) {
  Shard shard;
  bool woke = false;
  shard.run_until_done(sleep(&shard, std::chrono::milliseconds(1), &woke));
  EXPECT_TRUE(woke);
}

TEST(Shard, ForgetsASleeperThatIsDestroyed) {
  Shard shard;
  bool woke = false;
  auto task = sleep(&shard, Nanos(1), &woke);
  task.start();
  task = {};
  bool later = false;
  shard.run_until_done(sleep(&shard, std::chrono::milliseconds(2), &later));
  EXPECT_TRUE(later);
  EXPECT_FALSE(woke);
}

TEST(Shard, ServesEventsBetweenTheSlicesOfABusyGuest) {
  Shard shard;
  RunAccount account;
  int had = 0;
  auto busy = slices(&shard, &account, 1'000'000, &had);
  busy.start();
  shard.run_until_done(nothing());
  EXPECT_LT(had, 10);
}

// Work that makes more work of itself for ever.
void again(Shard* shard) {
  shard->submit([shard] { again(shard); });
}

TEST(Shard, RunsGuestsWhileEventsNeverCease) {
  Shard shard;
  RunAccount account;
  int had = 0;
  again(&shard);
  shard.run_until_done(slices(&shard, &account, 100, &had));
  EXPECT_EQ(had, 100);
}

}  // namespace
}  // namespace carrel::async
