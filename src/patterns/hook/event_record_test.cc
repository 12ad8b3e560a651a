#include "patterns/hook/event_record.h"

#include <gtest/gtest.h>

#include "store/test_store.h"

namespace carrel::hook {
namespace {

class EventRecords : public store::OpenStore {
 protected:
  EventRecords() : gate(*local), services{.store = local, .gate = &gate} {}
  void put(const AppName& app, const std::string& id) {
    store::Transaction transaction(*local, shop, {});
    ASSERT_TRUE(transaction.put(events_of(app), id, {.bytes = encode(CloudEvent{.data = "{}"})}));
    ASSERT_TRUE(commit(transaction));
  }
  std::size_t left(const AppName& app) {
    store::Transaction transaction(*local, shop, {});
    return run(transaction.read_names(events_of(app), "", "", 2000))->entries.size();
  }

  const TenantName shop{"shop"};
  const AppName app{"shop"}, other{"other"};
  turn::OutputGate gate;
  turn::Services services;
};

TEST_F(EventRecords, ThatNobodyNeedsAreSweptPageByPage) {
  for (int i = 0; i < 1200; ++i) put(app, "evt_" + std::to_string(10'000 + i));
  put(other, "evt_10000");
  const auto needed = [](const std::string& id) { return id.ends_with("7"); };
  ASSERT_TRUE(run(sweep_events(services, shop, app, needed)));
  EXPECT_EQ(left(app), 120U);
  EXPECT_EQ(left(other), 1U);
  ASSERT_TRUE(run(sweep_events(services, shop, AppName("none"), needed)));
}

TEST_F(EventRecords, AreErasedOneByOneAndMayBeGoneAlready) {
  put(app, "evt_1");
  ASSERT_TRUE(run(erase_event(services, shop, app, "evt_1")));
  ASSERT_TRUE(run(erase_event(services, shop, app, "evt_1")));
  EXPECT_EQ(left(app), 0U);
}

TEST(EventId, SaysWhenItWasMade) {
  const WallTime now{std::chrono::milliseconds(1'764'227'000'123)};
  EXPECT_EQ(time_of_id(new_id("evt", now).value_or("")), now);
  for (const std::string_view none :
       {"", "evt", "evt_", "evt_0123456789a", "evt_0123456789ag", "0123456789abcdef"})
    EXPECT_EQ(time_of_id(none), std::nullopt) << none;
}

}  // namespace
}  // namespace carrel::hook
