#include "store/backup.h"

#include <gtest/gtest.h>

#include "store/database_test_support.h"

namespace carrel::store {
namespace {

class ABackup : public DatabaseFixture {
 protected:
  void SetUp() override {
    open();
    std::filesystem::create_directories(folder / "parts");
    put("a", "1");
    const auto pin = parts.pin(tenant, hash);
    ASSERT_TRUE(parts.write(tenant, hash, "part"));
  }
  const TenantName tenant{"shop"};
  const PartHash hash = hash_of_part("part");
  Parts parts{folder / "parts"};
  const std::filesystem::path backup = folder.parent_path() / "backup";
  const std::filesystem::path restored = folder.parent_path() / "restored" / "store";
};

TEST_F(ABackup, IsRestoredAsItWasWhenItWasMade) {
  ASSERT_TRUE(make_backup(database, parts, backup));
  put("a", "2");
  ASSERT_TRUE(restore_backup(backup, restored));
  database.reset();
  options.folder = restored;
  open();
  EXPECT_EQ(get("a"), "1");
  const auto part = Parts(restored / "parts").read(tenant, hash);
  ASSERT_TRUE(part) << part.error().describe();
  EXPECT_EQ(*part, "part");
  put("a", "3");
  reopen();
  EXPECT_EQ(get("a"), "3");
}

TEST_F(ABackup, LeavesWhatExistsAsItIs) {
  std::filesystem::create_directories(backup);
  EXPECT_EQ(make_backup(database, parts, backup).error().code(), Code::already_exists);
  EXPECT_TRUE(std::filesystem::is_empty(backup));
  std::filesystem::remove(backup);
  ASSERT_TRUE(make_backup(database, parts, backup));
  EXPECT_EQ(restore_backup(backup, folder).error().code(), Code::already_exists);
  EXPECT_EQ(get("a"), "1");
}

TEST_F(ABackup, IsForItsOwnerAndNotInsideTheStore) {
  EXPECT_EQ(make_backup(database, parts, folder / "parts" / "b").error().code(),
            Code::invalid_argument);
  ASSERT_TRUE(make_backup(database, parts, backup));
  EXPECT_EQ(std::filesystem::status(backup).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(ABackup, TouchesNoneOfItsNeighbours) {
  const std::filesystem::path other = backup.string() + ".partial";
  std::filesystem::create_directories(other / "mine");
  ASSERT_TRUE(make_backup(database, parts, backup));
  EXPECT_TRUE(std::filesystem::exists(other / "mine"));
}

TEST_F(ABackup, ThatIsStoppedLeavesNothing) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(make_backup(database, parts, backup, stop.get_token()).error().code(),
            Code::shutting_down);
  EXPECT_FALSE(std::filesystem::exists(backup));
  EXPECT_FALSE(std::filesystem::exists(backup.string() + ".carrel-partial"));
}

TEST_F(ABackup, HoldsPartsWhileItIsMade) {
  {
    const Parts::Hold hold(parts);
    ASSERT_TRUE(parts.condemn(tenant, hash));
    EXPECT_FALSE(*parts.remove(tenant, hash));
  }
  ASSERT_TRUE(parts.condemn(tenant, hash));
  EXPECT_TRUE(*parts.remove(tenant, hash));
}

TEST_F(ABackup, IsNotMadeOfAnythingElse) {
  std::filesystem::create_directories(backup);
  EXPECT_EQ(restore_backup(backup, restored).error().code(), Code::not_found);
  write_text(backup / "FORMAT", "carrel store 9\n");
  EXPECT_EQ(restore_backup(backup, restored).error().code(), Code::store_format);
  EXPECT_FALSE(std::filesystem::exists(restored));
}

}  // namespace
}  // namespace carrel::store
