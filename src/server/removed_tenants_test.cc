#include "server/removed_tenants.h"

#include <gmock/gmock.h>

#include "observe/test_log.h"
#include "patterns/hook/lane.h"
#include "store/test_store.h"
#include "tenant/path.h"
#include "tenant/tenant.h"

namespace carrel::server {
namespace {

using ::testing::ElementsAre;

const TenantName kGone("acme"), kDamaged("aaa"), kStays("zoo");
const store::Place kCarts{.kind = store::Kind::value, .store = "carts"};

struct SetClock final : Clock {
  Instant now() const override { return system_clock().now(); }
  WallTime wall() const override { return time; }
  WallTime time{std::chrono::hours(24 * 365 * 60)};
};

class RemovedTenantsTest : public store::OpenStore {
 protected:
  RemovedTenantsTest() : gate(*local), services{.store = local, .gate = &gate} {}

  void keep(const TenantName& name, std::optional<WallTime> removed) {
    store::Transaction transaction(*local, tenant::kNode, {});
    ASSERT_TRUE(tenant::keep(transaction, {.name = name, .removed = removed}));
    ASSERT_TRUE(commit(transaction));
  }
  void put(const TenantName& name, const store::Place& place, const std::string& key,
           std::string bytes) {
    store::Transaction transaction(*local, name, {});
    ASSERT_TRUE(run(transaction.read(place, key)));
    ASSERT_TRUE(transaction.put(place, key, {.bytes = std::move(bytes)}));
    ASSERT_TRUE(commit(transaction));
  }
  std::size_t count(const TenantName& name, const store::Place& place) {
    store::Transaction transaction(*local, name, {});
    return run(transaction.read_names(place, "", "", 1000))->entries.size();
  }
  void look(RemovedTenants& tenants) { shard.run_until_done(tenants.look()); }

  // Changes what the tenant keeps, as turns do that go on.
  static async::Task<void> meddle(store::ShardStore* store) {
    for (int i = 0; i < 300; ++i) {
      store::Transaction transaction(*store, kGone, {});
      const std::string key = std::to_string(i % 7);
      (void)co_await transaction.read(kCarts, key);
      (void)transaction.put(kCarts, key, {.bytes = std::to_string(i)});
      (void)co_await transaction.commit();
    }
  }
  static async::Task<void> erase_into(turn::Services services, delivery::Ring* ring, WallTime now,
                                      Result<void>* done) {
    *done = co_await erase_tenants(services, ring, {kGone}, now);
  }

  SetClock clock;
  observe::TestLog events{"tenant"};
  delivery::Ring ring;
  turn::OutputGate gate;
  turn::Services services;
};

TEST_F(RemovedTenantsTest, GoThoughOthersAreDamaged) {
  keep(kGone, clock.time);
  keep(kStays, {});
  put(tenant::kNode, tenant::kTenants, kDamaged.str(), "{");
  for (const auto& name : {kGone, kStays, kDamaged}) put(name, kCarts, "a", "1");
  RemovedTenants tenants(services, ring, clock, events);
  look(tenants);
  look(tenants);
  EXPECT_THAT(events.all, ElementsAre("tenant_damaged aaa", "tenant_erased acme"));
  EXPECT_EQ(count(kGone, kCarts), 0U);
  EXPECT_EQ(count(kStays, kCarts), 1U);
  EXPECT_EQ(count(kDamaged, kCarts), 1U);
}

TEST_F(RemovedTenantsTest, GoThoughOthersWriteWhatTheyKeep) {
  keep(kGone, clock.time);
  for (int i = 0; i < 20; ++i) put(kGone, kCarts, std::to_string(i), "1");
  Result<void> done = fail(Code::internal);
  async::Task<void> writer = meddle(local);
  writer.start();
  shard.run_until_done(erase_into(services, &ring, clock.time, &done));
  while (!writer.done()) shard.run_until_done(shard.sleep_for(std::chrono::milliseconds(1)));
  EXPECT_TRUE(done) << done.error().describe();
}

TEST_F(RemovedTenantsTest, TakeTheDeliveriesOfTheirAppsAlong) {
  keep(kGone, clock.time);
  for (const auto& name : {kGone, kStays}) {
    store::Transaction transaction(*local, tenant::kNode, {});
    const std::string lane = hook::lanes_of(name, AppName("shop")) + "paid:crm";
    ASSERT_TRUE(transaction.put(delivery::kDead, lane + '\0', {.bytes = "damaged"}));
    ASSERT_TRUE(commit(transaction));
  }
  RemovedTenants tenants(services, ring, clock, events);
  look(tenants);
  EXPECT_EQ(count(tenant::kNode, delivery::kDead), 1U);
}

}  // namespace
}  // namespace carrel::server
