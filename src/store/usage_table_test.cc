#include "store/usage_table.h"

#include "store/database_test_support.h"
#include "store/parts.h"

namespace carrel::store {
namespace {

using UsageTableTest = DatabaseFixture;

TEST_F(UsageTableTest, AnAccountIsLoadedOnceAndAnewAfterReopening) {
  open();
  const TenantName shop("shop");
  put(usage_key(shop), encode_usage(INT64_MAX, 3));
  UsageTable table;
  EXPECT_EQ(table.find(shop), nullptr);
  const auto account = table.load(shop, *database);
  ASSERT_TRUE(account);
  EXPECT_EQ((*account)->bytes, INT64_MAX);
  EXPECT_EQ((*account)->names, 3);
  put(usage_key(shop), encode_usage(1, 1));
  EXPECT_EQ(*table.load(shop, *database), *account);
  table.clear();
  EXPECT_EQ(table.find(shop), nullptr);
  ASSERT_TRUE(table.load(shop, *database));
  EXPECT_EQ(table.find(shop)->bytes, 1);
}

TEST_F(UsageTableTest, ANewTenantHasNothingAndADamagedAccountIsRefused) {
  open();
  UsageTable table;
  const auto fresh = table.load(TenantName("new"), *database);
  ASSERT_TRUE(fresh);
  EXPECT_EQ((*fresh)->bytes, 0);
  for (const std::size_t size : {0, 15, 17}) {
    put(usage_key(TenantName("shop")), std::string(size, '\0'));
    const auto damaged = table.load(TenantName("shop"), *database);
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code(), Code::data_corrupt);
  }
}

TEST(Charge, IsOfNameAndValueAndOfABlobsOwnSize) {
  EXPECT_EQ(charge_of(Kind::value, "ab", {.bytes = "123"}), 5U);
  const auto manifest = encode(BlobManifest{.size = 9, .parts = {hash_of_part("x")}});
  EXPECT_EQ(charge_of(Kind::blob, "ab", {.bytes = manifest}), 2 + manifest.size() + 9);
  EXPECT_EQ(charge_of(Kind::value, "ab", {.bytes = manifest}), 2 + manifest.size());
  EXPECT_EQ(charge_of(Kind::blob, "ab", {.bytes = "?"}), 3U) << "damaged: what it is in bytes";
}

}  // namespace
}  // namespace carrel::store
