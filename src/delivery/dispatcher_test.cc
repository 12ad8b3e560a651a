#include "delivery/dispatcher.h"

#include <gtest/gtest.h>

#include "delivery/test_receiver.h"

namespace carrel::delivery {
namespace {

using namespace std::chrono_literals;
using How = Verdict::How;

class ADispatcher : public DeliveryFixture {};

TEST_F(ADispatcher, TakesAwayWhatWasDelivered) {
  dispatcher->start();
  add("lane", "1");
  until([&] { return dispatcher->open() == 0; });
  EXPECT_EQ(receiver.tried, std::vector<std::string>{"1"});
  EXPECT_TRUE(items(kOpen).empty());
  EXPECT_TRUE(items(kDead).empty());
  EXPECT_EQ(receiver.records["1"], 0);
}

TEST_F(ADispatcher, TriesAgainWhenItIsTimeAndThenKeepsADeadLetterWithTheCause) {
  receiver.verdict = {.how = How::failed, .cause = "refused"};
  dispatcher->start();
  add("lane", "1");
  settle();
  ASSERT_EQ(items(kOpen).size(), 1U);
  EXPECT_EQ(items(kOpen)[0].cause, "refused");
  EXPECT_EQ(items(kOpen)[0].attempts, 1U);
  EXPECT_EQ(items(kOpen)[0].marked, 0U);
  pass(9s);
  settle();
  EXPECT_EQ(receiver.tried.size(), 1U);
  pass(4s);  // ten seconds and up to a quarter more
  until([&] { return receiver.tried.size() == 2; });
  settle();
  pass(99s);
  settle();
  EXPECT_EQ(receiver.tried.size(), 2U);
  pass(30s);
  until([&] { return dispatcher->open() == 0; });
  EXPECT_EQ(receiver.tried.size(), 3U);
  EXPECT_TRUE(items(kOpen).empty());
  ASSERT_EQ(items(kDead).size(), 1U);
  EXPECT_EQ(items(kDead)[0].cause, "refused");
  EXPECT_EQ(items(kDead)[0].attempts, 3U);
  EXPECT_EQ(receiver.dead, std::vector<std::string>{"1: refused"});
  EXPECT_EQ(receiver.records["1"], 1);  // the dead letter
}

TEST_F(ADispatcher, WaitsAsLongAsItWasAskedTo) {
  receiver.verdict = {.how = How::failed, .cause = "busy", .after = 50s};
  dispatcher->start();
  add("lane", "1");
  settle();
  pass(40s);
  settle();
  EXPECT_EQ(receiver.tried.size(), 1U);
  pass(10s);
  until([&] { return receiver.tried.size() == 2; });
}

TEST_F(ADispatcher, KeepsWhatIsHopelessAtOnce) {
  receiver.verdict = {.how = How::hopeless, .cause = "nobody"};
  dispatcher->start();
  add("lane", "1");
  until([&] { return dispatcher->open() == 0; });
  EXPECT_EQ(items(kDead)[0].attempts, 1U);
}

TEST_F(ADispatcher, DoesNotCountWhatWasNotTried) {
  receiver.verdict = {.how = How::not_now, .after = 5s};
  dispatcher->start();
  add("lane", "1");
  for (std::size_t i = 1; i <= 10; ++i) {
    until([&] { return receiver.tried.size() == i; });
    settle();
    pass(6s);
  }
  until([&] { return receiver.tried.size() == 11; });
  settle();
  EXPECT_EQ(items(kOpen)[0].attempts, 0U);
}

TEST_F(ADispatcher, FindsAgainWhatAKilledProcessLeftAndCountsTheAttempt) {
  receiver.held = true;
  dispatcher->start();
  add("lane", "1");
  until([&] { return receiver.tried.size() == 1; });
  EXPECT_NE(items(kOpen)[0].marked, 0U);
  for (std::size_t round = 2; round <= 3; ++round) {
    restart();
    EXPECT_EQ(receiver.records["1"], 1);
    settle();
    EXPECT_EQ(receiver.tried.size(), round - 1);  // it waits, as it may be what ended the process
    pass(200s);
    until([&] { return receiver.tried.size() == round; });
  }
  restart();
  until([&] { return dispatcher->open() == 0; });
  EXPECT_EQ(receiver.tried.size(), 3U);  // not tried again
  ASSERT_EQ(items(kDead).size(), 1U);
  EXPECT_EQ(items(kDead)[0].cause, "the server ended during attempt 3");
}

TEST_F(ADispatcher, LeavesOthersItemsToThem) {
  dispatcher.reset();
  make();
  for (int i = 0; i < 20; ++i) {
    auto turn = begin();
    ASSERT_TRUE(put_new(turn, {"lane", std::to_string(i)}, "", 0));
    ASSERT_TRUE(commit(turn));
  }
  Dispatcher one(shard, services, clock, receiver);
  Dispatcher two(shard, services, clock, receiver);
  const auto load = [](Dispatcher* dispatcher, unsigned index) -> async::Task<void> {
    (void)co_await dispatcher->load(index, 2);
  };
  shard.run_until_done(load(&one, 0));
  shard.run_until_done(load(&two, 1));
  EXPECT_EQ(one.open() + two.open(), 20U);
  EXPECT_GT(one.open(), 0U);
  EXPECT_GT(two.open(), 0U);
}

TEST_F(ADispatcher, GivesEachLaneFewAtOnceAndAllTheirTurn) {
  receiver.held = true;
  dispatcher->start();
  for (int i = 0; i < 10; ++i) add("busy", "b" + std::to_string(i));
  add("other", "o");
  until([&] { return receiver.tried.size() == 3; });
  EXPECT_EQ(receiver.under_way["other"], 1);
  receiver.held = false;
  until([&] { return dispatcher->open() == 0; });
  EXPECT_EQ(receiver.most_under_way["busy"], 2);
  EXPECT_EQ(receiver.tried.size(), 11U);
}

TEST_F(ADispatcher, DeliversNothingWhilePaused) {
  add("lane", "1");
  settle();
  EXPECT_TRUE(receiver.tried.empty());
  dispatcher->start();
  until([&] { return dispatcher->open() == 0; });
  dispatcher->pause();
  add("lane", "2");
  pass(1s);
  settle();
  EXPECT_EQ(receiver.tried.size(), 1U);
  dispatcher->start();
  until([&] { return receiver.tried.size() == 2; });
}

TEST_F(ADispatcher, GoesOnWhenTheStoreTakesWritesAgain) {
  receiver.held = true;
  receiver.verdict = {.how = How::failed, .cause = "refused"};
  dispatcher->start();
  add("lane", "1");
  until([&] { return receiver.tried.size() == 1; });
  faults.fail_syncs();
  receiver.held = false;
  for (int i = 0; i < 20; ++i) shard.run_until_done(shard.sleep_for(1ms));
  faults.heal();
  settle();
  until([&] { return items(kOpen).size() == 1; });
  EXPECT_EQ(items(kOpen)[0].cause, "refused");
}

TEST_F(ADispatcher, SaysWhatIsDamagedAndGoesOn) {
  auto turn = begin();
  ASSERT_TRUE(turn.put(kOpen, record_name({"lane", "bad"}), {.bytes = "x"}));
  ASSERT_TRUE(put_new(turn, {"lane", "good"}, "", 0));
  ASSERT_TRUE(commit(turn));
  load();
  EXPECT_EQ(receiver.bad, std::vector<std::string>{"bad"});
  dispatcher->start();
  until([&] { return dispatcher->open() == 0; });
  EXPECT_EQ(receiver.tried, std::vector<std::string>{"good"});
}

TEST_F(ADispatcher, LetsNoTenantHoldUpTheOthers) {
  receiver.held = true;
  dispatcher->start();
  for (int i = 0; i < 20; ++i) add("hook:a:lane" + std::to_string(i), "a" + std::to_string(i));
  add("hook:b:lane", "b0");
  until([&] { return receiver.tried.size() == 4; });
  EXPECT_EQ(receiver.under_way["hook:b:lane"], 1);
  receiver.held = false;
  until([&] { return dispatcher->open() == 0; });
  EXPECT_EQ(receiver.tried.size(), 21U);
}

TEST_F(ADispatcher, GivesLanesThatFailOneAttemptAndTogetherHalfOfTheirTenants) {
  receiver.verdict = {.how = How::failed, .cause = "late"};
  dispatcher->start();
  for (int i = 0; i < 5; ++i) {
    add("hook:a:bad" + std::to_string(i), "x" + std::to_string(i));
    add("hook:a:bad" + std::to_string(i), "y" + std::to_string(i));
  }
  until([&] { return receiver.tried.size() == 10; });
  settle();
  receiver.held = true;
  receiver.verdict = {.how = How::done};
  pass(13s);
  until([&] { return receiver.tried.size() == 11; });
  for (int i = 0; i < 2; ++i) add("hook:a:good", "g" + std::to_string(i));
  until([&] { return receiver.under_way["hook:a:good"] == 2; });
  EXPECT_EQ(receiver.tried.size(), 13U);  // one of all that fail
  receiver.most_under_way.clear();
  receiver.held = false;
  until([&] { return dispatcher->open() == 0; });
  EXPECT_EQ(receiver.tried.size(), 22U);
}

TEST_F(ADispatcher, KeepsSoManyDeadLettersOfALaneAndDropsTheOldest) {
  receiver.verdict = {.how = How::hopeless, .cause = "nobody"};
  dispatcher->start();
  for (const auto* id : {"1", "2", "3"}) add("lane", id);
  add("lane2", "0");
  until([&] { return dispatcher->open() == 0; });
  EXPECT_TRUE(receiver.lost.empty());
  add("lane", "4");
  until([&] { return dispatcher->open() == 0; });
  EXPECT_EQ(receiver.lost, std::vector<std::string>{"1"});
  restart();  // it counts what it finds
  add("lane", "5");
  until([&] { return dispatcher->open() == 0; });
  EXPECT_EQ(receiver.lost, (std::vector<std::string>{"1", "2"}));
  std::vector<std::string> left;
  for (const Item& item : items(kDead)) left.push_back(item.name.id);
  EXPECT_EQ(left, (std::vector<std::string>{"3", "4", "5", "0"}));
}

TEST_F(ADispatcher, TouchesNoRecordOfWhatCannotBeTriedYet) {
  receiver.not_yet = 60s;
  dispatcher->start();
  add("lane", "1");
  pass(61s);
  settle();
  EXPECT_TRUE(receiver.tried.empty());
  EXPECT_EQ(items(kOpen)[0].attempts, 0U);
  receiver.not_yet = {};
  pass(61s);
  until([&] { return dispatcher->open() == 0; });
  EXPECT_EQ(receiver.tried.size(), 1U);
}

TEST_F(ADispatcher, HasRoomForSoManyAndForSoManyOfATenant) {
  Dispatcher small(shard, services, clock, receiver, {.open = 3, .open_an_owner = 2});
  small.add({"hook:a:1", "1"}, 0);
  EXPECT_TRUE(small.has_room("hook:a:2"));
  small.add({"hook:a:2", "2"}, 0);
  EXPECT_FALSE(small.has_room("hook:a:3"));
  EXPECT_TRUE(small.has_room("hook:b:1"));
  small.add({"hook:b:1", "3"}, 0);
  EXPECT_FALSE(small.has_room("hook:c:1"));
}

}  // namespace
}  // namespace carrel::delivery
