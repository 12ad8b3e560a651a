#include "store/database.h"

#include <gtest/gtest.h>

#include "store/database_test_support.h"
#include "store/faulty_files.h"

namespace carrel::store {
namespace {

class ADatabase : public DatabaseFixture {
 protected:
  // A thousand keys in tables that have not been read yet.
  void open_copy(std::shared_ptr<DatabaseFiles> files) {
    open();
    fill(1000);
    checkpoint_to(folder.parent_path() / "copy");
    database.reset();
    options.folder = folder.parent_path() / "copy";
    options.files = std::move(files);
    open();
    reopen();  // what was in the log is in a table now, and in nobody's memory
  }
};

TEST_F(ADatabase, IsForItsOwnerOnly) {
  namespace fs = std::filesystem;
  fs::create_directory(folder);
  fs::permissions(folder, fs::perms::all);
  for (int i = 0; i < 2; ++i) {  // a new one, and one that was open to others
    open();
    EXPECT_EQ(fs::status(folder).permissions(), fs::perms::owner_all);
    database.reset();
    fs::permissions(folder, fs::perms::all);
  }
}

TEST_F(ADatabase, KeepsWhatWasWrittenWhenItIsOpenedAgain) {
  open();
  put("a", "1");
  ASSERT_TRUE(database->sync());
  reopen();
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("b"), std::nullopt);
}

TEST_F(ADatabase, ShowsAViewWhatWasThereWhenItWasTaken) {
  open();
  put("a", "1");
  const auto view = database->view();
  put("a", "2");
  EXPECT_EQ(**view->get("a", Reach::memory), "1");
  EXPECT_EQ(get("a"), "2");
}

TEST_F(ADatabase, AppliesAWriteSetInOrder) {
  open();
  WriteSet writes;
  EXPECT_TRUE(writes.empty());
  writes.put("a", "1");
  writes.put("b", "2");
  writes.erase("a");
  EXPECT_FALSE(writes.empty());
  ASSERT_TRUE(database->write(writes));
  EXPECT_EQ(get("a"), std::nullopt);
  EXPECT_EQ(get("b"), "2");
}

TEST_F(ADatabase, AnswersFromMemoryOnlyWhatIsInMemory) {
  const FaultyFiles files;  // none fails; and what the kernel has in its cache does not count
  open_copy(files.files());
  const auto view = database->view();
  EXPECT_FALSE(view->get(name(500), Reach::memory));
  Cursor cold(view, "", Reach::memory);
  EXPECT_EQ(cold.seek(name(500)), Cursor::State::not_in_memory);
  const auto read = view->get(name(500), Reach::disk);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ(**read, value(500));
  EXPECT_TRUE(view->get(name(500), Reach::memory));
}

TEST_F(ADatabase, AnswersFromTheKernelsCacheAsWell) {
  open_copy(nullptr);
  const auto read = database->view()->get(name(500), Reach::memory);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ(**read, value(500));
  const auto absent = database->view()->get(name(500) + "x", Reach::memory);
  ASSERT_TRUE(absent && *absent);
  EXPECT_FALSE(**absent);
}

TEST_F(ADatabase, WalksItsKeysInOrderWithinBounds) {
  open();
  for (const auto* key : {"a", "b", "c", "d"}) put(key, key);
  Cursor cursor(database->view(), "d", Reach::memory);
  EXPECT_EQ(cursor.seek("b"), Cursor::State::valid);
  EXPECT_EQ(cursor.key(), "b");
  EXPECT_EQ(cursor.next(), Cursor::State::valid);
  EXPECT_EQ(cursor.value(), "c");
  EXPECT_EQ(cursor.next(), Cursor::State::end);
}

TEST_F(ADatabase, IsCopiedAtOneCommit) {
  open();
  put("a", "1");
  const auto copy = folder.parent_path() / "copy";
  ASSERT_TRUE(database->checkpoint(copy));
  put("a", "2");
  EXPECT_EQ(database->checkpoint(copy).error().code(), Code::already_exists);
  database.reset();
  options.folder = copy;
  open();
  EXPECT_EQ(get("a"), "1");
  EXPECT_TRUE(database->verify());
}

TEST_F(ADatabase, IsOpenOnce) {
  open();
  const auto second = Database::open(options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::store_locked) << second.error().message();
}

TEST_F(ADatabase, LeavesAFolderOfANewerFormatAsItIs) {
  std::filesystem::create_directories(folder);
  write_text(folder / "FORMAT", "carrel store 2\n");
  const auto opened = Database::open(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::store_format);
  EXPECT_NE(opened.error().message().find("format 2"), std::string::npos);
  EXPECT_NE(opened.error().message().find(folder.string()), std::string::npos);
  EXPECT_NE(opened.error().help().find("newer Carrel"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder / "db"));
}

TEST_F(ADatabase, LeavesAFolderOfSomethingElseAsItIs) {
  std::filesystem::create_directories(folder);
  write_text(folder / "letter.txt", "Dear");
  const auto opened = Database::open(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::store_format);
  EXPECT_FALSE(std::filesystem::exists(folder / "FORMAT"));
}

TEST_F(ADatabase, IsNotBegunAnewWhenItsFilesWereLost) {
  open();
  put("a", "1");
  database.reset();
  std::filesystem::remove(folder / "db" / "CURRENT");
  const auto opened = Database::open(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::data_corrupt);
}

}  // namespace
}  // namespace carrel::store
