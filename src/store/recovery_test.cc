#include <gtest/gtest.h>

#include "store/store_test_support.h"

namespace carrel::store {
namespace {

class Recovery : public StoreFixture {
 protected:
  Recovery() { start_store({.files = faults.files()}); }

  // As a turn does: it looks first.
  Result<Version> put(std::string_view name, std::string_view bytes) {
    auto turn = begin();
    (void)turn.get(kCarts, name);
    auto put = turn.put(kCarts, name, {.bytes = std::string(bytes)});
    if (!put) return std::unexpected(std::move(put).error());
    return commit(turn);
  }
  bool well() const { return store->status().health == StoreStatus::Health::well; }
  void until_durable(Version version) {
    local->want_durable(version);
    until([&] { return local->durable() >= version; });
  }
};

TEST_F(Recovery, AFullDiskRefusesCommitsAndPasses) {
  const auto first = put("a", "1");
  ASSERT_TRUE(first);
  until_durable(*first);
  faults.fail_writes(FaultyFiles::Write::no_space);
  EXPECT_EQ(put("a", "2").error().code(), Code::store_full);
  EXPECT_EQ(put("b", "2").error().code(), Code::store_full);
  EXPECT_EQ(text("a"), "1");
  EXPECT_FALSE(well());
  faults.heal();
  until([&] { return well(); });
  until([&] { return put("c", "3").has_value(); });
  EXPECT_EQ(text("a"), "1");
  EXPECT_EQ(text("b"), "-");
  EXPECT_EQ(text("c"), "3");
}

TEST_F(Recovery, NothingBecomesDurableAfterAFailedSync) {
  const auto first = put("a", "1");
  ASSERT_TRUE(first);
  until_durable(*first);
  faults.fail_syncs();
  const auto second = put("a", "2");
  until([&] { return !well(); });
  EXPECT_TRUE(!second || local->durable() < *second);
  EXPECT_EQ(text("a"), "1");  // not what may be lost
  EXPECT_EQ(put("b", "1").error().code(), Code::store_failed);
  faults.heal();
  until([&] { return well(); });
  until([&] { return put("c", "3").has_value(); });
  EXPECT_TRUE(text("a") == "1" || text("a") == "2");
  EXPECT_EQ(text("c"), "3");
}

TEST_F(Recovery, ATurnThatReadBeforeIsNotCommittedAfterIt) {
  const auto first = put("a", "1");
  ASSERT_TRUE(first);
  until_durable(*first);
  auto old = begin();
  (void)old.get(kCarts, "a");
  ASSERT_TRUE(old.put(kCarts, "a", {.bytes = "old"}));
  faults.fail_writes(FaultyFiles::Write::torn);
  EXPECT_FALSE(put("b", "2"));
  faults.heal();
  EXPECT_FALSE(commit(old));
  EXPECT_EQ(text("a"), "1");
}

}  // namespace
}  // namespace carrel::store
