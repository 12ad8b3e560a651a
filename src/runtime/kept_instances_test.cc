#include "runtime/kept_instances.h"

#include <gtest/gtest.h>

namespace carrel::runtime {
namespace {

using namespace std::chrono_literals;

turn::ModuleSetup module_of(std::string tenant, turn::Reuse reuse = {}) {
  return {.tenant = TenantName(std::move(tenant)),
          .reuse = std::make_shared<const turn::Reuse>(reuse)};
}

// Named by how many turns it has served.
std::unique_ptr<wasm::KeptInstance> instance(unsigned turns) {
  return std::make_unique<wasm::KeptInstance>(nullptr, turns);
}

async::Task<void> pass(async::Shard& shard, Nanos time) { co_await shard.sleep_for(time); }

class KeptInstancesTest : public ::testing::Test {
 protected:
  unsigned taken(const turn::ModuleSetup& module) {
    const auto found = kept.take(module, nullptr).instance;
    return found == nullptr ? 0 : found->turns();
  }
  async::Shard shard;
  KeptInstances kept{shard, 6};
};

TEST_F(KeptInstancesTest, ServeTheirOwnModuleAlone) {
  const turn::ModuleSetup a = module_of("shop"), b = module_of("shop");
  kept.put(a, instance(1), {});
  EXPECT_EQ(taken(b), 0u) << "the same module, deployed again";
  turn::ModuleSetup elsewhere = a;
  elsewhere.tenant = TenantName("other");
  EXPECT_EQ(taken(elsewhere), 0u);
  const turn::ModuleSetup route = a;  // of the same module
  EXPECT_EQ(taken(route), 1u);
  EXPECT_EQ(taken(a), 0u) << "it serves one turn at a time";
}

TEST_F(KeptInstancesTest, AreKeptOnlyForWhoAsks) {
  turn::ModuleSetup module = module_of("shop");
  module.reuse = nullptr;
  kept.put(module, instance(1), {});
  kept.put(module_of("shop"), nullptr, {});
  EXPECT_EQ(kept.size(), 0u);
  EXPECT_EQ(taken(module), 0u);
}

TEST_F(KeptInstancesTest, TheOneUsedLastComesFirst) {
  const turn::ModuleSetup module = module_of("shop");
  for (const unsigned turns : {1u, 2u, 3u}) kept.put(module, instance(turns), {});
  EXPECT_EQ(taken(module), 3u);
  EXPECT_EQ(taken(module), 2u);
}

TEST_F(KeptInstancesTest, MakeRoomByPlaces) {
  const turn::ModuleSetup composed = module_of("shop"), plain = module_of("shop");
  kept.put(composed, instance(1), {.places = 3});
  kept.put(plain, instance(2), {});
  kept.make_room(2);
  EXPECT_EQ(kept.size(), 2u);
  kept.make_room(3);
  EXPECT_EQ(taken(composed), 0u);
  EXPECT_EQ(taken(plain), 2u);
}

TEST_F(KeptInstancesTest, HaveBounds) {
  const turn::ModuleSetup module = module_of("shop", {.turns = 10});
  kept.put(module, instance(10), {});
  EXPECT_EQ(kept.size(), 0u) << "it has served enough";
  for (unsigned i = 1; i < 9; ++i) kept.put(module, instance(i), {});
  EXPECT_EQ(kept.size(), 4u);
  kept.put(module_of("other"), instance(1), {});
  kept.make_room(1);
  EXPECT_EQ(kept.size(), 5u);
  kept.make_room(4);
  EXPECT_EQ(kept.size(), 2u) << "turns that run go first";
  EXPECT_EQ(taken(module), 4u);
  kept.make_room(6);
  EXPECT_EQ(kept.size(), 0u);
}

TEST_F(KeptInstancesTest, ServeNobodyWithWhatIsNotDurable) {
  const turn::ModuleSetup module = module_of("shop");
  kept.put(module, instance(1), {.seen = store::Version{7}});
  EXPECT_EQ(taken(module), 0u);
  kept.put(module, instance(2), {});
  EXPECT_EQ(taken(module), 2u);
}

TEST_F(KeptInstancesTest, HoldSoMuchMemoryTogether) {
  const turn::ModuleSetup a = module_of("a"), b = module_of("b");
  kept.put(a, instance(1), {.memory = 300ULL << 20});
  kept.put(b, instance(2), {.memory = 300ULL << 20});
  EXPECT_EQ(kept.size(), 1u);
  EXPECT_EQ(taken(b), 2u) << "the one used last stays";
  kept.put(a, instance(3), {.memory = 600ULL << 20});
  EXPECT_EQ(kept.size(), 0u);
}

TEST_F(KeptInstancesTest, CarryTheSecretsTheyWereTold) {
  const turn::ModuleSetup module = module_of("shop");
  KeptInstances::Past past;
  past.told.emplace_back("hush");
  kept.put(module, instance(1), std::move(past));
  EXPECT_EQ(kept.take(module, nullptr).past.told.size(), 1u);
}

TEST_F(KeptInstancesTest, GoWhenNobodyNeedsThem) {
  kept.put(module_of("shop", {.idle = 10ms}), instance(1), {});
  const turn::ModuleSetup later = module_of("shop", {.idle = 1h});
  kept.put(later, instance(2), {});
  shard.run_until_done(pass(shard, 1500ms));
  EXPECT_EQ(kept.size(), 1u);
  EXPECT_EQ(taken(later), 2u);
  shard.run_until_done(pass(shard, 1500ms));
  kept.put(later, instance(3), {});
  EXPECT_EQ(kept.size(), 1u);
}

}  // namespace
}  // namespace carrel::runtime
