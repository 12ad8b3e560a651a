#include "store/check.h"

#include <gtest/gtest.h>

#include "store/database_test_support.h"
#include "store/expiry_index.h"
#include "store/key.h"
#include "store/part_ledger.h"
#include "store/parts.h"
#include "store/record.h"
#include "store/usage_table.h"

namespace carrel::store {
namespace {

class ACheck : public DatabaseFixture {
 protected:
  void SetUp() override {
    open();
    std::filesystem::create_directories(folder / "parts");
    put(key(Kind::value, "a"), encode(Record{.bytes = "1"}));
    put(key(Kind::counter, "n"), encode(Record{.bytes = encode_count(5)}));
    const auto pin = parts.pin(TenantName("shop"), hash);
    ASSERT_TRUE(parts.write(TenantName("shop"), hash, "part"));
    put(key(Kind::blob, "b"), encode(Record{.bytes = encode(BlobManifest{4, {hash}})}));
    put(uses(), encode_count(1));
    expiring = Key{"shop", Kind::value, "s", "e"};
    put(encode(expiring), encode(Record{.bytes = "1", .expires = 5000}));
    put(expiry_key(expiring, 5000), "");
    put(usage_key(TenantName("shop")), encode_usage(kBytes, 4));
  }
  void erase(std::string_view key) {
    WriteSet writes;
    writes.erase(key);
    ASSERT_TRUE(database->write(writes));
  }
  // The only problem, or a list of them.
  std::string found() {
    const auto report = checked();
    open();
    std::string all;
    for (const auto& text : report.first) all += (all.empty() ? "" : "; ") + text;
    return all;
  }
  static std::string key(Kind kind, std::string_view name) {
    return encode(Key{"shop", kind, "s", name});
  }
  std::string uses() const {
    return encode(Key{"shop", Kind::part, "", {reinterpret_cast<const char*>(hash.data()), 32}});
  }
  CheckReport checked() {
    database.reset();
    auto report = check(folder, nullptr);
    EXPECT_TRUE(report) << report.error().describe();
    return report ? *report : CheckReport{};
  }
  static constexpr std::int64_t kBytes = 2 + 9 + 1 + 40 + 4 + 2;
  Key expiring{};
  const PartHash hash = hash_of_part("part");
  Parts parts{folder / "parts"};
};

TEST_F(ACheck, FindsNothingWrongWithASoundStore) {
  const auto report = checked();
  EXPECT_EQ(report.problems, 0U) << report.first.at(0);
  EXPECT_EQ(report.keys, 7U);
  EXPECT_EQ(report.blobs, 1U);
  EXPECT_EQ(report.parts, 1U);
  EXPECT_EQ(report.tenants, 1U);
}

TEST_F(ACheck, NamesRecordsAndKeysThatAreDamaged) {
  put(key(Kind::value, "bad\x1b"), "\x07");
  put(key(Kind::counter, "short"), encode(Record{.bytes = "5"}));
  put("?", "x");
  // What is damaged counts as a name; the counter's four bytes and the others' names are stored.
  put(usage_key(TenantName("shop")), encode_usage(kBytes + 6, 6));
  const auto report = checked();
  EXPECT_EQ(report.problems, 3U);
  for (const auto& text : report.first) EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(ACheck, FindsPartsThatAreMiscountedOrLost) {
  put(uses(), encode_count(2));
  EXPECT_EQ(checked().problems, 1U);
  std::filesystem::remove_all(folder / "parts");
  EXPECT_EQ(checked().problems, 2U);
}

TEST_F(ACheck, RecountsWhatATenantHasStored) {
  const auto account = usage_key(TenantName("shop"));
  put(account, encode_usage(kBytes + 1, 4));
  EXPECT_EQ(found(), "tenant 'shop' has 4 names and 58 bytes, and on its account 4 and 59");
  put(account, encode_usage(kBytes, 3));
  EXPECT_EQ(found(), "tenant 'shop' has 4 names and 58 bytes, and on its account 3 and 58");
  put(account, "short");
  EXPECT_EQ(found(), "the account of tenant 'shop' is damaged");
  erase(account);
  EXPECT_EQ(found(), "tenant 'shop' has 4 names and 58 bytes, and on its account 0 and 0");
  put(account, encode_usage(kBytes, 4));
  put(usage_key(TenantName("gone")), encode_usage(0, 0));
  EXPECT_EQ(found(), "");
  put(usage_key(TenantName("gone")), encode_usage(1, 0));
  EXPECT_EQ(found(), "tenant 'gone' has 0 names and 0 bytes, and on its account 0 and 1");
}

TEST_F(ACheck, FindsNamesThatExpireAndAreNotInTheListOrTheOtherWayRound) {
  const std::string name = "'e' (kind v, store 's', tenant 'shop')";
  erase(expiry_key(expiring, 5000));
  EXPECT_EQ(found(), name + " expires and is not in the list of what does");
  put(expiry_key(expiring, 5000), "");
  put(expiry_key(expiring, 6000), "");
  const std::string foreign =
      name + " is in the list of what expires, at a time that is not its own";
  EXPECT_EQ(found(), foreign);
  erase(expiry_key(expiring, 6000));
  put(encode(expiring), encode(Record{.bytes = "1"}));
  EXPECT_EQ(found(), foreign);
  erase(encode(expiring));
  put(usage_key(TenantName("shop")), encode_usage(kBytes - 2, 3));
  EXPECT_EQ(found(), foreign);
  erase(expiry_key(expiring, 5000));
  EXPECT_EQ(found(), "");
  put(encode(Key{"shop", Kind::expiry, "", "short"}), "");
  EXPECT_EQ(found(), "the time of a name is damaged: 'short' (kind x, store '', tenant 'shop')");
}

TEST_F(ACheck, FindsUnusedPartsThatAreNotInTheListOrTheOtherWayRound) {
  const PartHash other = hash_of_part("other");
  const std::string time = encode_count(1000);
  const std::string name = time + std::string(other.begin(), other.end());
  const std::string entry = part_key("shop", other);
  const std::string listed = encode(Key{"shop", Kind::garbage, "", name});
  put(entry, encode_count(0) + time);
  EXPECT_TRUE(found().ends_with("is unused and not in the list of those"));
  put(listed, "");
  EXPECT_EQ(found(), "");
  for (const auto& kept : {encode_count(0) + encode_count(1001), encode_count(0)}) {
    put(entry, kept);
    EXPECT_NE(found().find("is in the list of unused ones and is not"), std::string::npos);
  }
  erase(entry);
  EXPECT_TRUE(found().ends_with("is in the list of unused ones and is not"));
}

TEST_F(ACheck, CountsPartsThatNothingRefersTo) {
  const PartHash other = hash_of_part("other");
  const auto pin = parts.pin(TenantName("shop"), other);
  ASSERT_TRUE(parts.write(TenantName("shop"), other, "other"));
  const auto report = checked();
  EXPECT_EQ(report.unused_parts, 1U);
  EXPECT_EQ(report.problems, 0U);
}

TEST_F(ACheck, RefusesAStoreInUse) {
  EXPECT_EQ(check(folder, nullptr).error().code(), Code::store_locked);
}

}  // namespace
}  // namespace carrel::store
