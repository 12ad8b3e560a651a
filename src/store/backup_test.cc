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
  ASSERT_TRUE(make_backup(*database, parts, backup));
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
  EXPECT_EQ(make_backup(*database, parts, backup).error().code(), Code::already_exists);
  EXPECT_TRUE(std::filesystem::is_empty(backup));
  std::filesystem::remove(backup);
  ASSERT_TRUE(make_backup(*database, parts, backup));
  EXPECT_EQ(restore_backup(backup, folder).error().code(), Code::already_exists);
  EXPECT_EQ(get("a"), "1");
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
