#include "delivery/dead_letters.h"

#include <gtest/gtest.h>

#include "delivery/test_receiver.h"

namespace carrel::delivery {
namespace {

using namespace std::chrono_literals;

async::Task<void> redrive_into(store::Transaction* turn, Name name, Result<Item>* item) {
  *item = co_await redrive(turn, std::move(name), 5);
}
async::Task<void> read_page(store::Transaction* turn, std::string prefix, std::string after,
                            Result<ItemPage>* page) {
  *page = co_await read_items(turn, kDead, std::move(prefix), std::move(after), 1);
}

class DeadLetters : public DeliveryFixture {
 protected:
  void kill(std::string_view lane, std::string_view id) {
    receiver.verdict = {.how = Verdict::How::hopeless, .cause = "nobody"};
    dispatcher->start();
    add(lane, id);
    until([&] { return dispatcher->open() == 0; });
  }
  Result<ItemPage> page(std::string prefix, std::string after) {
    auto turn = begin();
    Result<ItemPage> out = fail(Code::internal);
    shard.run_until_done(read_page(&turn, std::move(prefix), std::move(after), &out));
    return out;
  }
};

TEST_F(DeadLetters, AreListedByLanePageByPage) {
  kill("a:1", "x");
  kill("a:2", "y");
  kill("b:1", "z");
  auto first = page("a:", "");
  ASSERT_TRUE(first);
  ASSERT_EQ(first->items.size(), 1U);
  EXPECT_EQ(first->items[0].name.id, "x");
  const auto second = page("a:", first->next);
  ASSERT_EQ(second->items.size(), 1U);
  EXPECT_EQ(second->items[0].name.id, "y");
  EXPECT_EQ(second->next, "");
}

TEST_F(DeadLetters, ThatAreDamagedHideNoOthers) {
  kill("a:1", "x");
  kill("a:1", "z");
  auto turn = begin();
  for (const char* name : {"a:1\0w", "a:1\0y"}) {
    ASSERT_TRUE(turn.put(kDead, std::string(name, 5), {.bytes = "damaged"}));
  }
  ASSERT_TRUE(turn.put(kDead, "a:2", {.bytes = "its name is as well"}));
  ASSERT_TRUE(commit(turn));
  std::string good, bad, after;
  do {
    const auto one = page("a:", after);
    ASSERT_TRUE(one);
    for (const Item& item : one->items) good += item.name.id;
    for (const Name& name : one->damaged) bad += name.id.empty() ? "?" : name.id;
    after = one->next;
  } while (!after.empty());
  EXPECT_EQ(good, "xz");
  EXPECT_EQ(bad, "wy?");
  auto again = begin();
  Result<Item> item = fail(Code::internal);
  shard.run_until_done(redrive_into(&again, {"a:1", "y"}, &item));
  ASSERT_FALSE(item);
  EXPECT_EQ(item.error().code(), Code::data_corrupt);
}

TEST_F(DeadLetters, AreTriedAgainWhenRedriven) {
  kill("lane", "1");
  receiver.verdict = {.how = Verdict::How::done};
  auto turn = begin();
  Result<Item> item = fail(Code::internal);
  shard.run_until_done(redrive_into(&turn, {"lane", "1"}, &item));
  ASSERT_TRUE(item);
  EXPECT_EQ(item->attempts, 0U);
  EXPECT_EQ(item->cause, "nobody");
  ASSERT_TRUE(commit(turn));
  dispatcher->add_again(item->name, item->due);
  until([&] { return dispatcher->open() == 0; });
  EXPECT_EQ(receiver.tried.size(), 2U);
  EXPECT_TRUE(items(kOpen).empty());
  EXPECT_TRUE(items(kDead).empty());
  EXPECT_EQ(receiver.records["1"], 0);
}

TEST_F(DeadLetters, ThatAreNotThereAreNotRedriven) {
  auto turn = begin();
  Result<Item> item = fail(Code::internal);
  shard.run_until_done(redrive_into(&turn, {"lane", "1"}, &item));
  ASSERT_FALSE(item);
  EXPECT_EQ(item.error().code(), Code::not_found);
}

TEST_F(DeadLetters, GoAfterAMonth) {
  kill("lane", "1");
  pass(std::chrono::hours(24 * 30) - 1s);
  EXPECT_EQ(items(kDead).size(), 1U);
  pass(2s);
  EXPECT_TRUE(items(kDead).empty());
}

}  // namespace
}  // namespace carrel::delivery
