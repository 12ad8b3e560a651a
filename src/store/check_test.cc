#include "store/check.h"

#include <gtest/gtest.h>

#include "store/database_test_support.h"
#include "store/key.h"
#include "store/parts.h"
#include "store/record.h"

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
  const PartHash hash = hash_of_part("part");
  Parts parts{folder / "parts"};
};

TEST_F(ACheck, FindsNothingWrongWithASoundStore) {
  const auto report = checked();
  EXPECT_EQ(report.problems, 0U) << report.first.at(0);
  EXPECT_EQ(report.keys, 4U);
  EXPECT_EQ(report.blobs, 1U);
  EXPECT_EQ(report.parts, 1U);
  EXPECT_EQ(report.tenants, 1U);
}

TEST_F(ACheck, NamesRecordsAndKeysThatAreDamaged) {
  put(key(Kind::value, "bad\x1b"), "\x07");
  put(key(Kind::counter, "short"), encode(Record{.bytes = "5"}));
  put("?", "x");
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

TEST_F(ACheck, RefusesAStoreInUse) {
  EXPECT_EQ(check(folder, nullptr).error().code(), Code::store_locked);
}

}  // namespace
}  // namespace carrel::store
