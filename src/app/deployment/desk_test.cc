#include "app/deployment/desk.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "app/deployment/stored.h"
#include "app/deployment/unpack.h"
#include "store/part_ledger.h"
#include "store/test_store.h"

namespace carrel::deployment {
namespace {

using async::Task;

const AppName kShop("shop");
const TenantName kAcme("acme");

class Desk : public store::OpenStore {
 protected:
  // A manifest of these bytes.
  static Version version(char what) {
    const nlohmann::json files = nlohmann::json::array({nlohmann::json(
        {{"path", "carrel.toml"}, {"size", 3U}, {"sha256", std::string(64, what)}})});
    return {.by = "test", .bundle = *read_bundle(files)};
  }
  // 0: it was refused.
  std::uint64_t add(char what) {
    std::uint64_t number = 0;
    shard.run_until_done(add_into(local, version(what), &number));
    return number;
  }
  static Task<void> add_into(store::ShardStore* local, Version version, std::uint64_t* number) {
    store::Transaction transaction(*local, kAcme, {});
    const auto addition = co_await add_version(&transaction, kShop, std::move(version));
    if (!addition) co_return;
    const auto committed = co_await transaction.commit();
    if (committed) *number = addition->added.number;
  }
  void change(Result<void> (*edit)(AppRecord&)) { shard.run_until_done(change_into(local, edit)); }
  static Task<void> change_into(store::ShardStore* local, Result<void> (*edit)(AppRecord&)) {
    store::Transaction transaction(*local, kAcme, {});
    auto app = co_await require_app(&transaction, kShop);
    if (!app || !edit(*app) || !keep_app(transaction, kShop, *app)) co_return;
    (void)co_await transaction.commit();
  }
  void erase() { shard.run_until_done(erase_into(local)); }
  static Task<void> erase_into(store::ShardStore* local) {
    store::Transaction transaction(*local, kAcme, {});
    (void)co_await erase_app(&transaction, kShop);
    (void)co_await transaction.commit();
  }
  StoredApps stored() const {
    const auto snapshot = store->snapshot();
    return snapshot ? *read_stored((*snapshot)->view) : StoredApps();
  }
  std::vector<std::uint64_t> numbers() const {
    std::vector<std::uint64_t> numbers;
    for (const auto& app : stored().apps) {
      for (const auto& each : app.versions) numbers.push_back(each.number);
    }
    return numbers;
  }
  bool part_is_used(char what) const {
    const auto hash = read_hash(std::string(64, what));
    const auto entry =
        (*store->snapshot())->view->get(store::part_key(kAcme.str(), *hash), store::Reach::disk);
    return entry && *entry && **entry && store::decode_count((**entry)->substr(0, 8)) > 0;
  }
};

TEST_F(Desk, VersionsAreNumberedAndTheSameFilesAddNone) {
  EXPECT_EQ(add('a'), 1U);
  EXPECT_EQ(add('a'), 1U);
  EXPECT_EQ(add('b'), 2U);
  EXPECT_EQ(add('a'), 3U);
  EXPECT_EQ(numbers(), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(stored().apps.front().scope, (Scope{.tenant = kAcme, .app = kShop}));
}

TEST_F(Desk, AVersionKeepsItsPartsAndIsNotCharged) {
  add('a');
  EXPECT_TRUE(part_is_used('a'));
  EXPECT_EQ(store->usage(kAcme).bytes, 0U);
  erase();
  EXPECT_FALSE(part_is_used('a'));
  EXPECT_TRUE(stored().apps.empty());
}

TEST_F(Desk, OldVersionsGoUnlessTheAppNeedsThem) {
  add('a');
  change([](AppRecord& app) { return activate(app, 1, 100); });
  for (std::size_t i = 0; i < kMostVersions + 3; ++i) add(i % 2 == 0 ? 'b' : 'c');
  const auto kept = numbers();
  EXPECT_EQ(kept.size(), kMostVersions + 1);
  EXPECT_EQ(kept.front(), 1U);
  EXPECT_EQ(kept[1], 5U);
}

TEST_F(Desk, ARemovedAppTakesNoVersions) {
  add('a');
  change([](AppRecord& app) -> Result<void> {
    app.removed = WallTime(std::chrono::seconds(1));
    return {};
  });
  EXPECT_EQ(add('b'), 0U);
}

}  // namespace
}  // namespace carrel::deployment
