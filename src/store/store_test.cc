#include "store/store.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "store/store_test_support.h"

namespace carrel::store {
namespace {

class StoreTest : public StoreFixture {
 protected:
  StoreTest() { start_store(); }
};

TEST_F(StoreTest, WhatIsCommittedIsReadByTheNextTurn) {
  auto one = begin();
  EXPECT_EQ(text(one, "a/b"), "-");
  ASSERT_TRUE(one.put(kCarts, "a/b", {.bytes = "x"}));
  EXPECT_EQ(text(one, "a/b"), "x");
  ASSERT_TRUE(commit(one));
  auto two = begin();
  EXPECT_EQ(text(two, "a/b"), "x");
  const auto page = two.list(kCarts, "", std::nullopt, 10);
  ASSERT_TRUE(page && *page);
  EXPECT_EQ((*page)->entries, (std::vector<FolderEntry>{{"a", true}}));
  EXPECT_EQ(store->usage(TenantName("shop")).bytes, 4U);
}

TEST_F(StoreTest, TheSecondOfTwoThatReadTheSameLosesAndWinsWhenRunAgain) {
  auto one = begin(), two = begin();
  text(one, "k");
  text(two, "k");
  ASSERT_TRUE(one.put(kCarts, "k", {.bytes = "1"}));
  ASSERT_TRUE(two.put(kCarts, "k", {.bytes = "2"}));
  ASSERT_TRUE(commit(one));
  const auto lost = commit(two);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), Code::conflict);
  shard.run_until_done(two.restart());
  EXPECT_EQ(text(two, "k"), "1");
  ASSERT_TRUE(two.put(kCarts, "k", {.bytes = "2"}));
  EXPECT_TRUE(commit(two));
}

TEST_F(StoreTest, AListingConflictsWithANewName) {
  auto lister = begin(), maker = begin();
  ASSERT_TRUE(lister.list(kCarts, "a", std::nullopt, 10));
  ASSERT_TRUE(lister.put(kCarts, "count", {.bytes = "0"}));
  ASSERT_TRUE(maker.put(kCarts, "a/new", {.bytes = "n"}));
  ASSERT_TRUE(commit(maker));
  EXPECT_FALSE(commit(lister));
}

TEST_F(StoreTest, AdditionsAddAndKeepTheirFloor) {
  auto one = begin(), two = begin(), three = begin();
  ASSERT_TRUE(one.add("stock", "hat", 2, 0));
  ASSERT_TRUE(two.add("stock", "hat", -2, 0));
  ASSERT_TRUE(three.add("stock", "hat", -1, 0));
  ASSERT_TRUE(commit(one));
  ASSERT_TRUE(commit(two));
  const auto broken = commit(three);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code(), Code::below_floor);
}

TEST_F(StoreTest, ACounterThatIsErasedAndAddedToInOneTurnHoldsWhatWasAdded) {
  const Place stock{.kind = Kind::counter, .store = "stock"};
  auto before = begin();
  ASSERT_TRUE(before.add("stock", "hat", 2, {}));
  ASSERT_TRUE(commit(before));
  auto reset = begin();
  ASSERT_TRUE(reset.get(stock, "hat"));
  ASSERT_TRUE(reset.erase(stock, "hat"));
  ASSERT_TRUE(reset.add("stock", "hat", 5, {}));
  ASSERT_TRUE(commit(reset));
  auto after = begin();
  const auto found = after.get(stock, "hat");
  ASSERT_TRUE(found && *found && **found != nullptr);
  EXPECT_EQ(decode_count((**found)->bytes), 5);
}

TEST_F(StoreTest, OverItsQuotaNothingOfATurnStays) {
  auto one = begin({.quota = 10});
  EXPECT_FALSE(one.put(kCarts, "k", {.bytes = "0123456789"}));
  EXPECT_FALSE(one.changes_anything());
}

TEST_F(StoreTest, WhatWasRefusedLeavesTheNameAsItWas) {
  auto one = begin();
  ASSERT_TRUE(one.put(kCarts, "k", {.bytes = "0123456789"}));
  ASSERT_TRUE(commit(one));
  auto two = begin({.bytes = 5, .quota = 12});
  EXPECT_EQ(text(two, "k"), "0123456789");
  EXPECT_FALSE(two.edit(kCarts, "k"));
  EXPECT_FALSE(two.put(kCarts, "k", {.bytes = "abcdef"}));
  EXPECT_EQ(text(two, "k"), "0123456789");
  EXPECT_FALSE(two.changes_anything());
  ASSERT_TRUE(two.put(kCarts, "k", {.bytes = "abc"}));
  EXPECT_FALSE(two.put(kCarts, "k", {.bytes = "abcdef"}));
  EXPECT_EQ(text(two, "k"), "abc");
}

TEST_F(StoreTest, OverItsQuotaATurnMayStillErase) {
  auto one = begin();
  ASSERT_TRUE(one.put(kCarts, "k", {.bytes = "0123456789"}));
  ASSERT_TRUE(commit(one));
  auto two = begin({.quota = 5});
  EXPECT_EQ(text(two, "k"), "0123456789");
  ASSERT_TRUE(two.erase(kCarts, "k"));
  EXPECT_TRUE(commit(two));
}

TEST_F(StoreTest, AMoveThatIsRefusedLeavesBothNamesAsTheyWere) {
  auto before = begin();
  text(before, "a");
  ASSERT_TRUE(before.put(kCarts, "a", {.bytes = "stored"}));
  ASSERT_TRUE(commit(before));
  auto few = begin({.effects = 1});
  EXPECT_EQ(text(few, "a") + text(few, "b"), "stored-");
  EXPECT_EQ(few.move(kCarts, "a", kCarts, "b", {.bytes = "stored"}, 0).error().code(),
            Code::effects_limit);
  EXPECT_EQ(text(few, "a") + text(few, "b"), "stored-");
  EXPECT_FALSE(few.changes_anything());
  EXPECT_TRUE(few.put(kCarts, "a", {.bytes = "anew"}));  // the one there is room for

  auto full = begin({.bytes = 20, .quota = 100});
  EXPECT_EQ(text(full, "a") + text(full, "b"), "stored-");
  ASSERT_TRUE(full.put(kCarts, "a", {.bytes = "longer than"}));
  ASSERT_TRUE(full.put(kCarts, "b", {.bytes = "little"}));
  const std::string large(20, 'x');
  EXPECT_EQ(full.move(kCarts, "a", kCarts, "b", {.bytes = large}, 0).error().code(),
            Code::effects_limit);
  EXPECT_EQ(text(full, "a") + text(full, "b"), "longer thanlittle");
  EXPECT_EQ(full.move(kCarts, "a", kCarts, "b", {.bytes = "heavy"}, 200).error().code(),
            Code::quota_exceeded);
  EXPECT_EQ(text(full, "a") + text(full, "b"), "longer thanlittle");
  EXPECT_EQ(full.grow(kCarts, "a", 2).error().code(), Code::effects_limit);
  EXPECT_TRUE(full.grow(kCarts, "a", 1));
  EXPECT_TRUE(full.grow(kCarts, "a", -1));
  ASSERT_TRUE(full.move(kCarts, "a", kCarts, "b", {.bytes = "longer than"}, 50));
  EXPECT_EQ(text(full, "a") + text(full, "b"), "-longer than");
  ASSERT_TRUE(commit(full));
  auto after = begin();
  EXPECT_EQ(text(after, "a") + text(after, "b"), "-longer than");
}

TEST_F(StoreTest, AReadUnderWayEndsBeforeTheStoreHasStoppedSoThatItsShardCanGo) {
  auto other = std::make_unique<async::Shard>();
  std::promise<void> begun, go;
  bool ended = false;
  auto reading = store->io().run(*other, [&] {
    begun.set_value();
    go.get_future().wait();
    ended = true;
  });
  reading.start();
  begun.get_future().wait();
  std::jthread letting_go([&] { go.set_value(); });
  store->stop();
  EXPECT_TRUE(ended);
  reading = {};
  other.reset();
}

TEST_F(StoreTest, WhatTheNodeKeepsIsOneForAllTenantsAndChargedToNone) {
  const Place tenants{.kind = Kind::tenant, .store = ""};
  Transaction full(*local, TenantName("shop"), {.quota = 2});
  ASSERT_TRUE(full.put(tenants, "acme", {.bytes = "a record longer than the quota"}));
  ASSERT_TRUE(full.put(kCarts, "a", {.bytes = "b"}));
  EXPECT_EQ(full.put(kCarts, "b", {.bytes = "c"}).error().code(), Code::quota_exceeded);
  ASSERT_TRUE(commit(full));
  EXPECT_EQ(store->usage(TenantName("shop")).bytes, 2U);
  Transaction other(*local, TenantName("other"), {});
  const auto seen = other.get(tenants, "acme");
  ASSERT_TRUE(seen && *seen && **seen);
  EXPECT_EQ((**seen)->bytes, "a record longer than the quota");
}

TEST_F(StoreTest, ARecordIsEditedRightAfterItWasRead) {
  auto one = begin();
  ASSERT_TRUE(one.put(kCarts, "k", {.bytes = "x"}));
  ASSERT_TRUE(commit(one));
  auto two = begin();
  EXPECT_EQ(two.edit(kCarts, "k").error().code(), Code::internal);
  EXPECT_FALSE(two.changes_anything());
  EXPECT_EQ(text(two, "k"), "x");
  auto record = two.edit(kCarts, "k");
  ASSERT_TRUE(record);
  (*record)->bytes = "y";
  EXPECT_EQ(text(two, "k"), "y");
}

}  // namespace
}  // namespace carrel::store
