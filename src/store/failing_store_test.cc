// What a shard is told when the store fails and is opened again.
#include <gtest/gtest.h>

#include "store/store_test_support.h"

namespace carrel::store {
namespace {

struct Listener final : DurabilityListener {
  void on_durable(Version version) override { durable = version; }
  void on_failure(const Error&) override { ++failures; }
  void on_reopened(Version version) override {
    durable = version;
    ++reopenings;
  }
  Version durable{};
  int failures = 0, reopenings = 0;
};

class AFailingStore : public StoreFixture {
 protected:
  AFailingStore() { start(); }
  ~AFailingStore() override { end_store(); }

  void start() {
    start_store({.files = faults.files()});
    local->set_listener(&listener);
    local->listen();
  }
  void set_durably(std::string_view name, std::string_view value) {
    const auto version = set(name, value);
    ASSERT_TRUE(version) << version.error().describe();
    until([&] { return listener.durable >= *version; });
  }

  Listener listener;
};

TEST_F(AFailingStore, RefusesWhatFindsNoSpaceReadsOnAndAcceptsAgainWhenThereIsSome) {
  set_durably("a", "1");
  faults.fail_writes(FaultyFiles::Write::no_space);
  for (int i = 0; i < 3; ++i) {
    const auto refused = set("b", "2");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::store_full) << refused.error().describe();
    EXPECT_EQ(text("a"), "1");
    EXPECT_EQ(text("b"), "-");
  }
  EXPECT_EQ(store->status().health, StoreStatus::Health::failed);
  until([&] { return listener.failures == 1; });
  faults.heal();
  until([&] { return listener.reopenings == 1; });
  until([&] { return set("c", "3").has_value(); });
  EXPECT_EQ(store->status().health, StoreStatus::Health::well);
  EXPECT_EQ(text("a"), "1");
  EXPECT_EQ(text("b"), "-");
  EXPECT_EQ(text("c"), "3");
  EXPECT_EQ(store->usage(TenantName("shop")).names, 2U);
}

TEST_F(AFailingStore, ReportsNothingAsDurableBeforeItsSyncHasReturned) {
  set_durably("a", "1");
  const Version durable = listener.durable;
  const int syncs = faults.syncs();
  faults.hold_syncs();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(set(name(i), "x"));
  const auto last = set("a", "2");
  ASSERT_TRUE(last);
  EXPECT_EQ(text("a"), "2");  // the next turn reads it already
  until([&] { return faults.syncs() > syncs; });
  EXPECT_EQ(listener.durable, durable);
  EXPECT_EQ(local->durable(), durable);
  faults.release_syncs();
  until([&] { return listener.durable >= *last; });
}

TEST_F(AFailingStore, HasNothingMoreDurableAfterAFailedSyncAndReadsWhatWasBefore) {
  set_durably("a", "1");
  const Version durable = listener.durable;
  faults.fail_syncs();
  const auto lost = set("a", "2");
  ASSERT_TRUE(lost);
  until([&] { return listener.failures == 1; });
  EXPECT_EQ(listener.durable, durable);
  EXPECT_EQ(text("a"), "1");
  EXPECT_FALSE(set("a", "3"));
  faults.heal();
  until([&] { return listener.reopenings == 1; });
  EXPECT_GT(listener.durable, *lost);  // versions are never given twice
  until([&] { return set("b", "1").has_value(); });
}

TEST_F(AFailingStore, KeepsWhatWasDurableThroughAFailedSyncAndALossOfPower) {
  for (int i = 0; i < 50; ++i) set_durably(name(i), value(i));
  faults.fail_syncs();
  static_cast<void>(set("late", "x"));
  until([&] { return listener.failures == 1; });
  end_store();
  faults.lose_unsynced();
  faults.heal();
  start();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(text(name(i)), value(i));
}

TEST_F(AFailingStore, ComesBackAsOftenAsItFails) {
  for (int round = 1; round <= 5; ++round) {
    set_durably("a", std::to_string(round));
    round % 2 == 0 ? faults.fail_syncs() : faults.fail_writes(FaultyFiles::Write::fails);
    static_cast<void>(set("b", "x"));
    until([&] { return listener.failures == round; });
    EXPECT_EQ(text("a"), std::to_string(round));
    faults.heal();
    until([&] { return listener.reopenings == round; });
    EXPECT_EQ(text("a"), std::to_string(round));
    until([&] { return set("c", "x").has_value(); });
  }
}

}  // namespace
}  // namespace carrel::store
