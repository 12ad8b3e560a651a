#include "store/record_cache.h"

#include <gtest/gtest.h>

namespace carrel::store {
namespace {

std::shared_ptr<const ReadRecord> record(const std::string& key, std::string bytes) {
  return std::make_shared<ReadRecord>(key, Record{.bytes = std::move(bytes)},
                                      Before{.known = true});
}

class RecordCacheTest : public ::testing::Test {
 protected:
  void keep(const std::string& key, std::uint64_t version, const std::string& bytes = "value") {
    cache.keep(hash_of(key), Version{version}, record(key, bytes));
  }
  bool knows(const std::string& key, std::uint64_t snapshot, std::uint64_t opened = 0) {
    return cache.find(hash_of(key), key,
                      {.version = Version{snapshot}, .opened = Version{opened}}) != nullptr;
  }
  void write(const std::string& key, std::uint64_t version) {
    slots.stamp(slot_of(hash_of(key)), Version{version});
  }

  SlotTable slots;
  RecordCache cache{slots, 10'000, 1};
};

TEST_F(RecordCacheTest, WhatNobodyWroteIsKnownToEarlierAndLaterSnapshots) {
  keep("k", 5);
  EXPECT_TRUE(knows("k", 5));
  EXPECT_TRUE(knows("k", 9));
  EXPECT_TRUE(knows("k", 3));
  EXPECT_FALSE(knows("other", 5));
}

TEST_F(RecordCacheTest, AWriteAfterItWasReadMakesItUnknown) {
  keep("k", 5);
  write("k", 6);
  EXPECT_FALSE(knows("k", 5)) << "the slot does not say that this was before";
  EXPECT_FALSE(knows("k", 6));
}

TEST_F(RecordCacheTest, AWriteIsKnownFromThenOnOnly) {
  write("k", 5);
  keep("k", 5);
  EXPECT_TRUE(knows("k", 5));
  EXPECT_TRUE(knows("k", 7));
  EXPECT_FALSE(knows("k", 4));
}

TEST_F(RecordCacheTest, AnOlderReadDoesNotReplaceANewerOne) {
  write("k", 5);
  keep("k", 5);
  keep("k", 4);
  EXPECT_TRUE(knows("k", 5));
}

TEST_F(RecordCacheTest, NothingIsKnownFromBeforeTheStoreWasOpenedAgain) {
  keep("k", 5);
  EXPECT_FALSE(knows("k", 6, 6));
}

TEST_F(RecordCacheTest, HoldsNoMoreThanItMayAndKeepsWhatIsUsed) {
  keep("used", 1);
  for (int i = 0; i < 1000; ++i) {
    keep("k" + std::to_string(i), 1);
    EXPECT_LE(cache.bytes(), 10'000U);
    EXPECT_TRUE(knows("used", 1)) << i;
  }
  EXPECT_TRUE(knows("k999", 1));
  EXPECT_FALSE(knows("k0", 1));
}

TEST_F(RecordCacheTest, KeepsNoLargeRecordsAndNoErrors) {
  keep("k", 1, std::string(100'000, 'x'));
  EXPECT_FALSE(knows("k", 1));
  cache.keep(hash_of("e"), Version{1},
             std::make_shared<ReadRecord>("e", fail(Code::data_corrupt, "damaged"), Before{}));
  EXPECT_FALSE(knows("e", 1));
  EXPECT_EQ(cache.bytes(), 0U);
}

}  // namespace
}  // namespace carrel::store
