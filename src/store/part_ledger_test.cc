#include "store/part_ledger.h"

#include <gtest/gtest.h>

#include <map>

#include "store/record.h"

namespace carrel::store {
namespace {

constexpr std::string_view kShop = "shop";
constexpr WallTime kNow{std::chrono::seconds(5)};

PartHash part(std::uint8_t which) {
  PartHash hash{};
  hash.fill(which);
  return hash;
}

// Of whole parts.
std::string blob(const std::vector<PartHash>& parts) {
  return encode(BlobManifest{.size = parts.size() * kPartBytes, .parts = parts});
}

class ALedger : public ::testing::Test {
 protected:
  using Text = std::optional<std::string>;

  std::optional<Code> replace(const Text& before, const Text& after, WallTime now = kNow) {
    return code_of(account_parts(access, kShop, before, after, now));
  }
  std::optional<Code> forget(const std::string& garbage) {
    return code_of(forget_part(access, garbage));
  }
  static std::optional<Code> code_of(const Result<void>& done) {
    if (done) return {};
    return done.error().code();
  }
  // -1: it is not known.
  std::int64_t uses(const PartHash& hash) const {
    const auto at = entries.find(part_key(kShop, hash));
    if (at == entries.end()) return -1;
    return decode_count(std::string_view(at->second).substr(0, 8)).value_or(-2);
  }
  std::vector<std::string> garbage() const {
    std::vector<std::string> keys;
    for (const auto& [key, value] : entries) {
      if (decode(key)->kind == Kind::garbage) keys.push_back(key);
    }
    return keys;
  }

  std::map<std::string, std::string> entries;
  LedgerAccess access{.get = [this](std::string_view key) -> Result<Text> {
                        const auto at = entries.find(std::string(key));
                        return at == entries.end() ? Text() : Text(at->second);
                      },
                      .set =
                          [this](std::string key, Text value) {
                            if (value) {
                              entries[std::move(key)] = std::move(*value);
                            } else {
                              entries.erase(key);
                            }
                          }};
};

TEST_F(ALedger, APartCountsAsOftenAsAManifestNamesIt) {
  const std::string twice = blob({part(1), part(2), part(1)});
  EXPECT_EQ(replace({}, twice), std::nullopt);
  EXPECT_EQ(uses(part(1)), 2);
  EXPECT_EQ(uses(part(2)), 1);
  EXPECT_EQ(replace(twice, blob({part(1)})), std::nullopt);
  EXPECT_EQ(uses(part(1)), 1);
  EXPECT_EQ(uses(part(2)), 0);
  EXPECT_EQ(garbage().size(), 1U);
  EXPECT_EQ(replace(blob({part(1)}), {}), std::nullopt);
  EXPECT_EQ(uses(part(1)), 0);
  EXPECT_EQ(garbage().size(), 2U);
}

TEST_F(ALedger, ABlobReplacedByTheSameChangesNothing) {
  const std::string same = blob({part(1), part(2)});
  EXPECT_EQ(replace({}, same), std::nullopt);
  const auto before = entries;
  EXPECT_EQ(replace(same, same, kNow + std::chrono::hours(1)), std::nullopt);
  EXPECT_EQ(entries, before);
}

TEST_F(ALedger, APartThatComesIntoUseAgainIsNoGarbage) {
  const std::string one = blob({part(1)});
  EXPECT_EQ(replace({}, one), std::nullopt);
  EXPECT_EQ(replace(one, {}), std::nullopt);
  const auto found = garbage();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(replace({}, one, kNow + std::chrono::seconds(1)), std::nullopt);
  EXPECT_EQ(uses(part(1)), 1);
  EXPECT_TRUE(garbage().empty());
  EXPECT_EQ(forget(found.front()), std::nullopt);  // found before, decided after
  EXPECT_EQ(uses(part(1)), 1);
}

TEST_F(ALedger, AGarbageKeyForgetsOnlyTheUseThatItCounts) {
  const std::string one = blob({part(1)});
  EXPECT_EQ(replace({}, one), std::nullopt);
  EXPECT_EQ(replace(one, {}), std::nullopt);
  const std::string first = garbage().front();
  EXPECT_EQ(replace({}, one), std::nullopt);
  EXPECT_EQ(replace(one, {}, kNow + std::chrono::seconds(1)), std::nullopt);
  EXPECT_EQ(forget(first), std::nullopt);
  EXPECT_EQ(uses(part(1)), 0);
  ASSERT_EQ(garbage().size(), 1U);
  EXPECT_EQ(forget(garbage().front()), std::nullopt);
  EXPECT_TRUE(entries.empty());
}

TEST_F(ALedger, WhatCannotBeIsDamageAndChangesNothing) {
  const std::string one = blob({part(1)});
  EXPECT_EQ(replace(one, {}), Code::data_corrupt);  // less than never
  EXPECT_TRUE(entries.empty());
  const std::string key = part_key(kShop, part(1));
  for (const std::string& damaged :
       {std::string(), std::string("short"), encode_count(0), encode_count(-1),
        encode_count(1) + encode_count(1), encode_count(INT64_MAX)}) {
    entries = {{key, damaged}};
    EXPECT_EQ(replace({}, one), Code::data_corrupt);
    EXPECT_EQ(entries.at(key), damaged);
    EXPECT_EQ(entries.size(), 1U);
  }
  EXPECT_EQ(replace({}, "no manifest"), Code::data_corrupt);
  EXPECT_EQ(forget("no key"), Code::data_corrupt);
  EXPECT_EQ(forget(key), Code::data_corrupt);
}

}  // namespace
}  // namespace carrel::store
