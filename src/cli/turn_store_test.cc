#include "cli/turn_store.h"

#include <gmock/gmock.h>

#include "app/case.h"

namespace carrel::cli {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::IsEmpty;

const TenantName kShop("shop");

// A time of day that stands still.
class FixedClock final : public Clock {
 public:
  explicit FixedClock(WallTime wall) : wall_(wall) {}
  Instant now() const override { return system_clock().now(); }
  WallTime wall() const override { return wall_; }

 private:
  WallTime wall_;
};

app::CaseState some_state() {
  return {.values = {{.name = {"carts", "ada"}, .bytes = "2 mugs"}},
          .counters = {{{"stock", "mug"}, -3}},
          .secrets = {{"KEY", "hush"}}};
}

app::CaseEffects asking() {
  return {.values = {{.name = {"carts", "ada"}}, {.name = {"carts", "adb"}}},
          .absent = {{"carts", "bob"}},
          .counters = {{{"stock", "mug"}, 0}, {{"stock", "tea"}, 0}}};
}

TEST(TurnStore, GivesBackWhatWasPutIntoIt) {
  async::Shard shard;
  auto made = TurnStore::temporary(shard, system_clock());
  ASSERT_TRUE(made) << made.error().message();
  TurnStore& store = **made;
  ASSERT_TRUE(store.put(kShop, some_state()));
  const auto found = store.look_for(kShop, asking());
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_EQ(found->values.size(), 1u);
  EXPECT_EQ(found->values[0].bytes, "2 mugs");
  EXPECT_FALSE(found->values[0].expires);
  ASSERT_EQ(found->counters.size(), 1u);
  EXPECT_EQ(found->counters[0].count, -3);
  EXPECT_THAT(found->others, Contains(app::StateName{"carts", "ada"}));
}

TEST(TurnStore, GivesBackBlobsOfAnySizeAndTellsOfThem) {
  async::Shard shard;
  auto store = std::move(*TurnStore::temporary(shard, system_clock()));
  std::string large;
  while (large.size() < (5 << 19)) large += std::to_string(large.size());
  ASSERT_TRUE(store->put(kShop, {.blobs = {{.name = {"images", "empty"}},
                                           {.name = {"images", "large"}, .bytes = large}}}));
  const auto found = store->look_for(
      kShop, {.blobs = {{.name = {"images", "large"}}, {.name = {"images", "none"}}},
              .absent_blobs = {{"images", "empty"}}});
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_EQ(found->blobs.size(), 2u);
  EXPECT_TRUE(found->blobs[0].bytes == large);
  EXPECT_EQ(found->blobs[1].bytes, "");
  const auto all = store->contents(kShop, {.blobs = {{.store = "images"}}}, 100);
  ASSERT_TRUE(all) << all.error().message();
  ASSERT_EQ(all->blobs.size(), 2u);
  EXPECT_TRUE(all->blobs[1].bytes == large);
}

TEST(TurnStore, SealsSecretsUnderTheirTenant) {
  async::Shard shard;
  auto store = std::move(*TurnStore::temporary(shard, system_clock()));
  ASSERT_TRUE(store->put(kShop, some_state()));
  const turn::Services services = store->services();
  store::Transaction transaction(*services.store, kShop, {});
  const auto record = transaction.get({.kind = store::Kind::secret, .store = ""}, "KEY");
  ASSERT_TRUE(record && *record && **record != nullptr);
  EXPECT_EQ(services.sealer->open(kShop, "KEY", (**record)->bytes)->view(), "hush");
}

TEST(TurnStore, GoesByItsClock) {
  const auto now = *app::parse_time("2026-01-02T03:04:05Z");
  const FixedClock clock(now);
  async::Shard shard;
  auto store = std::move(*TurnStore::temporary(shard, clock));
  const app::CaseState state{
      .values = {{.name = {"s", "gone"}, .bytes = "", .expires = now - std::chrono::seconds(1)},
                 {.name = {"s", "there"}, .bytes = "", .expires = now + std::chrono::seconds(1)}}};
  ASSERT_TRUE(store->put(kShop, state));
  const auto found = store->look_for(kShop, {.absent = {{"s", "gone"}, {"s", "there"}}});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->values.size(), 1u);
  EXPECT_EQ(found->values[0].name.key, "there");
  EXPECT_EQ(found->values[0].expires, now + std::chrono::seconds(1));
}

TEST(TurnStore, IsEmptyEachTimeUnlessItIsKept) {
  async::Shard shard;
  const auto folder = std::move(*ScratchFolder::make());
  const fs::path kept = folder->path() / "store";
  for (const bool again : {false, true}) {
    auto store = std::move(*TurnStore::kept(shard, system_clock(), kept, NodeKey()));
    EXPECT_FALSE(store->is_temporary());
    EXPECT_EQ(store->look_for(kShop, asking())->values.size(), again ? 1u : 0u);
    if (!again) ASSERT_TRUE(store->put(kShop, some_state()));
  }
  auto store = std::move(*TurnStore::temporary(shard, system_clock()));
  EXPECT_TRUE(store->is_temporary());
  EXPECT_THAT(store->look_for(kShop, asking())->values, IsEmpty());
}

TEST(TurnStore, TellsWhatStandsInTheStoresOfSomeGrants) {
  async::Shard shard;
  auto store = std::move(*TurnStore::temporary(shard, system_clock()));
  app::CaseState state = some_state();
  state.values.push_back({.name = {"carts", "bob"}, .bytes = "tea"});
  state.values.push_back({.name = {"other", "x"}, .bytes = ""});
  ASSERT_TRUE(store->put(kShop, state));
  const turn::Grants grants{.kv = {{.store = "carts"}}, .counters = {{.store = "stock"}}};
  const auto all = store->contents(kShop, grants, 100);
  ASSERT_TRUE(all) << all.error().message();
  ASSERT_EQ(all->values.size(), 2u);
  EXPECT_EQ(all->values[1].bytes, "tea");
  ASSERT_EQ(all->counters.size(), 1u);
  const auto some = store->contents(kShop, grants, 1);
  ASSERT_TRUE(some);
  EXPECT_EQ(some->values.size(), 1u);
  EXPECT_TRUE(some->counters.empty());
}

TEST(TurnStore, KeepsTenantsApart) {
  async::Shard shard;
  auto store = std::move(*TurnStore::temporary(shard, system_clock()));
  ASSERT_TRUE(store->put(kShop, some_state()));
  EXPECT_THAT(store->look_for(TenantName("other"), asking())->values, IsEmpty());
}

TEST(ScratchFolder, IsForThisUserAndGoesWithItsOwner) {
  auto folder = std::move(*ScratchFolder::make());
  const fs::path path = folder->path();
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
  fs::create_directory(path / "inside");
  folder.reset();
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace carrel::cli
