#include "delivery/erasure.h"

#include <gmock/gmock.h>

#include "delivery/test_receiver.h"

namespace carrel::delivery {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using How = Verdict::How;

async::Task<void> erase_into(store::Transaction* turn, store::ShardStore* store, std::string prefix,
                             Result<ErasedItems>* erased) {
  *erased = co_await erase_items(turn, store, std::move(prefix));
}

class Erasing : public DeliveryFixture {
 protected:
  // One step, that the dispatcher is told of.
  ErasedItems step(std::string prefix) {
    auto turn = begin();
    Result<ErasedItems> erased = fail(Code::internal);
    shard.run_until_done(erase_into(&turn, local, std::move(prefix), &erased));
    EXPECT_TRUE(erased) << erased.error().describe();
    EXPECT_TRUE(commit(turn));
    dispatcher->forget(*erased);
    return std::move(*erased);
  }
  void kill(std::string_view lane, std::string_view id) {
    const Verdict before = receiver.verdict;
    receiver.verdict = {.how = How::hopeless, .cause = "nobody"};
    const std::size_t open = dispatcher->open();
    dispatcher->start();
    add(lane, id);
    until([&] { return dispatcher->open() == open; });
    receiver.verdict = before;
  }
  std::vector<std::string> lanes(const store::Place& place) {
    std::vector<std::string> all;
    for (const Item& item : items(place)) all.push_back(item.name.lane);
    return all;
  }
};

TEST_F(Erasing, TakesNothingOfWhoseNameOnlyBeginsAlike) {
  receiver.not_yet = 1h;
  for (const char* lane : {"hook:a:b:p:x", "hook:a:bc:p:x", "hook:a/b:b:p:x"}) {
    receiver.not_yet = {};
    kill(lane, "dead");
    receiver.not_yet = 1h;
    add(lane, "open");
  }
  step("hook:a:b:");
  EXPECT_THAT(lanes(kOpen), ElementsAre("hook:a/b:b:p:x", "hook:a:bc:p:x"));
  EXPECT_THAT(lanes(kDead), ElementsAre("hook:a/b:b:p:x", "hook:a:bc:p:x"));
  step("hook:a:");
  EXPECT_THAT(lanes(kOpen), ElementsAre("hook:a/b:b:p:x"));
  step(record_name({"hook:a/b:b:p:", ""}));
  EXPECT_EQ(items(kOpen).size(), 1U);
  step(record_name({"hook:a/b:b:p:x", ""}));
  EXPECT_THAT(items(kOpen), IsEmpty());
  EXPECT_THAT(items(kDead), IsEmpty());
}

TEST_F(Erasing, GoesInBoundedSteps) {
  {
    auto turn = begin();
    for (std::size_t i = 0; i < kErasedAtOnce + 3; ++i)
      ASSERT_TRUE(put_new(turn, {"hook:a:b:p:x", std::to_string(i)}, "", 0));
    ASSERT_TRUE(commit(turn));
  }
  load();
  EXPECT_EQ(dispatcher->open(), kErasedAtOnce + 3);
  EXPECT_EQ(step("hook:a:b:").records, kErasedAtOnce);
  EXPECT_EQ(dispatcher->open(), 3U);
  EXPECT_EQ(step("hook:a:b:").records, 3U);
  EXPECT_EQ(dispatcher->open(), 0U);
  EXPECT_EQ(step("hook:a:b:").records, 0U);
}

TEST_F(Erasing, IsKnownAtOnceToWhoCountsAndWhoWaits) {
  receiver.verdict = {.how = How::failed, .cause = "refused"};
  dispatcher->start();
  add("hook:a:b:p:x", "1");
  until([&] { return receiver.tried.size() == 1; });
  settle();
  kill("hook:a:b:p:x", "2");
  ASSERT_EQ(receiver.records["1"], 1);
  step("hook:a:b:");
  EXPECT_EQ(dispatcher->open(), 0U);
  EXPECT_EQ(receiver.records["1"], 0);
  EXPECT_EQ(receiver.records["2"], 0);
  const std::size_t tried = receiver.tried.size();
  pass(200h);
  settle();
  EXPECT_EQ(receiver.tried.size(), tried);
  // Who has the name anew has all its dead letters before it, and is not taken for failing.
  for (const char* id : {"3", "4", "5"}) kill("hook:a:b:p:x", id);
  EXPECT_THAT(receiver.lost, IsEmpty());
  receiver.held = true;
  for (const char* id : {"6", "7"}) add("hook:a:b:p:x", id);
  until([&] { return receiver.under_way["hook:a:b:p:x"] == 2; });
  receiver.held = false;
}

TEST_F(Erasing, LeavesNothingOfWhatIsUnderWay) {
  for (const How how : {How::failed, How::hopeless, How::not_now, How::done}) {
    const std::string id = std::to_string(static_cast<int>(how));
    receiver.held = true;
    receiver.verdict = {.how = how, .cause = "refused", .after = 1s};
    dispatcher->start();
    const std::size_t tried = receiver.tried.size();
    add("hook:a:b:p:x", id);
    until([&] { return receiver.tried.size() == tried + 1; });
    EXPECT_EQ(step("hook:a:b:").records, 1U);
    receiver.held = false;
    until([&] { return dispatcher->open() == 0; });
    EXPECT_EQ(receiver.records[id], 0);
    EXPECT_THAT(items(kOpen), IsEmpty());
    EXPECT_THAT(items(kDead), IsEmpty());
    EXPECT_THAT(receiver.dead, IsEmpty());
    EXPECT_THAT(receiver.settled, ::testing::Not(::testing::Contains(id)));
  }
}

TEST_F(Erasing, LeavesNothingOfWhatIsReady) {
  receiver.held = true;
  receiver.verdict = {.how = How::done};
  dispatcher->start();
  for (int i = 0; i < 5; ++i) add("hook:a:b:p:x", std::to_string(i));
  until([&] { return receiver.tried.size() == 2; });
  EXPECT_EQ(step("hook:a:b:").records, 5U);
  receiver.held = false;
  until([&] { return dispatcher->open() == 0; });
  EXPECT_EQ(receiver.tried.size(), 2U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(receiver.records[std::to_string(i)], 0);
}

TEST_F(Erasing, TakesWhatIsDamagedAsWell) {
  auto turn = begin();
  ASSERT_TRUE(turn.put(kOpen, record_name({"hook:a:b:p:x", "bad"}), {.bytes = "x"}));
  ASSERT_TRUE(turn.put(kDead, "hook:a:b:no name", {.bytes = "x"}));
  ASSERT_TRUE(commit(turn));
  EXPECT_EQ(step("hook:a:b:").records, 2U);
  EXPECT_EQ(step("hook:a:b:").records, 0U);
}

TEST_F(Erasing, OfWhatItDoesNotKnowChangesNothing) {
  dispatcher->forget({.open = {{"hook:a:b:p:x", "1"}}, .dead = {{"hook:a:b:p:x", "2"}}});
  EXPECT_EQ(dispatcher->open(), 0U);
  receiver.verdict = {.how = How::done};
  dispatcher->start();
  add("hook:a:b:p:x", "3");
  until([&] { return dispatcher->open() == 0; });
}

}  // namespace
}  // namespace carrel::delivery
