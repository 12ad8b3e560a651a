#include "patterns/hook/leftovers.h"

#include <gtest/gtest.h>

#include "patterns/hook/endpoint_state.h"
#include "patterns/hook/event_record.h"
#include "patterns/hook/lane.h"
#include "store/test_store.h"

namespace carrel::hook {
namespace {

const TenantName kShop("shop"), kBeside("shop2"), kBelow("shop/m1");
const AppName kApp("a"), kOther("ab");

class Leftovers : public store::OpenStore {
 protected:
  static std::string lane(const TenantName& tenant, const AppName& app, const char* binding = "x") {
    return lane_text({.tenant = tenant, .app = app, .point = "paid", .binding = binding});
  }
  // A delivery, a dead letter, and how its endpoint did.
  void keep(const std::string& lane) {
    store::Transaction transaction(*local, TenantName(), {});
    ASSERT_TRUE(delivery::put_new(transaction, {lane, "1"}, "", 0));
    ASSERT_TRUE(transaction.put(delivery::kDead, delivery::record_name({lane, "2"}),
                                {.bytes = encode(delivery::Item{.name = {lane, "2"}})}));
    ASSERT_TRUE(transaction.put(kEndpoints, lane, {.bytes = encode(EndpointState())}));
    ASSERT_TRUE(commit(transaction));
  }
  std::size_t kept(const std::string& lane) {
    store::Transaction transaction(*local, TenantName(), {});
    std::size_t sum = 0;
    for (const store::Place& place : {delivery::kOpen, delivery::kDead, kEndpoints}) {
      for (const auto& entry : run(transaction.read_names(place, lane, "", 1000))->entries)
        sum += std::string_view(entry.name).substr(0, entry.name.find('\0')) == lane ? 1 : 0;
    }
    return sum;
  }
  std::size_t erase(std::string lanes) {
    store::Transaction transaction(*local, kBelow, {});
    const auto erased = run(erase_leftovers(&transaction, local, std::move(lanes)));
    EXPECT_TRUE(erased && commit(transaction));
    return erased ? erased->records : 0;
  }
};

TEST_F(Leftovers, OfAnAppAreItsOwn) {
  for (const auto& tenant : {kShop, kBeside, kBelow}) {
    for (const auto& app : {kApp, kOther}) keep(lane(tenant, app));
  }
  EXPECT_EQ(erase(lanes_of(kShop, kApp)), 3U);
  EXPECT_EQ(kept(lane(kShop, kApp)), 0U);
  for (const auto& beside : {lane(kShop, kOther), lane(kBeside, kApp), lane(kBelow, kApp)})
    EXPECT_EQ(kept(beside), 3U) << beside;
  EXPECT_EQ(erase(lanes_of(kShop)), 3U);
  EXPECT_EQ(kept(lane(kShop, kOther)), 0U);
  for (const auto& beside : {lane(kBeside, kOther), lane(kBelow, kOther)})
    EXPECT_EQ(kept(beside), 3U) << beside;
  EXPECT_EQ(erase(lanes_of(kShop)), 0U);
}

TEST_F(Leftovers, OfABindingAreItsOwn) {
  for (const char* name : {"x", "xy", "m1/x"}) keep(lane(kShop, kApp, name));
  store::Transaction transaction(*local, kBelow, {});
  const auto erased = run(erase_leftovers_of(&transaction, local, lane(kShop, kApp)));
  ASSERT_TRUE(erased && commit(transaction));
  EXPECT_EQ(erased->records, 3U);
  EXPECT_EQ(erased->open.size() + erased->dead.size(), 2U);
  EXPECT_EQ(kept(lane(kShop, kApp)), 0U);
  EXPECT_EQ(kept(lane(kShop, kApp, "xy")), 3U);
  EXPECT_EQ(kept(lane(kShop, kApp, "m1/x")), 3U);
}

TEST_F(Leftovers, OfAnAppAreItsEvents) {
  for (const auto& app : {kApp, kOther}) {
    store::Transaction transaction(*local, kShop, {});
    for (int i = 0; i < 70; ++i)
      ASSERT_TRUE(transaction.put(events_of(app), std::to_string(i), {.bytes = "{}"}));
    ASSERT_TRUE(commit(transaction));
  }
  std::size_t sum = 0;
  for (std::size_t erased = 1; erased > 0; sum += erased) {
    store::Transaction transaction(*local, kShop, {});
    erased = run(erase_events(&transaction, kApp)).value_or(0);
    EXPECT_LE(erased, 64U);
    ASSERT_TRUE(commit(transaction));
  }
  EXPECT_EQ(sum, 70U);
  store::Transaction transaction(*local, kShop, {});
  EXPECT_EQ(run(transaction.read_names(events_of(kOther), "", "", 1000))->entries.size(), 70U);
}

}  // namespace
}  // namespace carrel::hook
