#include "capability/tmp/tmp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wasi/test_io.h"

namespace carrel::capability::tmp {
namespace {

using ::testing::ElementsAre;
using wasi::Errno;
using wasi::FileType;
using wasi::OpenFile;
using namespace wasi::testing;

class TmpTest : public ::testing::Test {
 protected:
  TestIo io_;
  std::shared_ptr<wasi::Node> tmp_ = mount();
};

// --- open

TEST_F(TmpTest, SaysWhatIsMissingAndWhatIsNoFolder) {
  EXPECT_EQ(error_of(tmp_->open(io_, "none", kRead)), Errno::noent);
  EXPECT_EQ(error_of(tmp_->open(io_, "none/new", kCreate)), Errno::noent);
  ASSERT_EQ(put(io_, *tmp_, "f", "x"), Errno::success);
  EXPECT_EQ(error_of(tmp_->open(io_, "f/g", kCreate)), Errno::notdir);
  EXPECT_EQ(error_of(tmp_->open(io_, "f", kFolder)), Errno::notdir);
  EXPECT_EQ(error_of(tmp_->open(io_, "f", {.create = true, .exclusive = true, .write = true})),
            Errno::exist);
  EXPECT_EQ(error_of(tmp_->open(io_, "", kWrite)), Errno::isdir);
  EXPECT_EQ(error_of(tmp_->open(io_, "", {.create = true, .read = true})), Errno::isdir);
  EXPECT_EQ(error_of(tmp_->open(io_, "x", {.create = true, .folder = true})), Errno::inval);
}

TEST_F(TmpTest, RefusesNamesOfMoreThan255Bytes) {
  EXPECT_EQ(error_of(tmp_->open(io_, std::string(256, 'n'), kCreate)), Errno::nametoolong);
  EXPECT_EQ(error_of(tmp_->make_folder(io_, std::string(5000, 'n'))), Errno::nametoolong);
  EXPECT_EQ(put(io_, *tmp_, std::string(255, 'n'), "x"), Errno::success);
}

TEST_F(TmpTest, KeepsReadersFromWritingAndWritersFromReading) {
  ASSERT_EQ(put(io_, *tmp_, "f", "text"), Errno::success);
  const auto reader = tmp_->open(io_, "f", kRead), writer = tmp_->open(io_, "f", kWrite);
  EXPECT_EQ(error_of(write(io_, **reader, "x")), Errno::badf);
  EXPECT_EQ(error_of(write_at(io_, **reader, "x", 0)), Errno::badf);
  EXPECT_EQ(error_of((*reader)->set_size(io_, 0)), Errno::inval);
  EXPECT_EQ(read(io_, **writer), "error 8");
  EXPECT_EQ(read_at(io_, **writer, 0), "error 8");
}

// --- bytes

TEST_F(TmpTest, ReadsAndWritesAtThePositionOrAnywhere) {
  const auto file = tmp_->open(io_, "f", kCreate);
  ASSERT_TRUE(file);
  EXPECT_EQ(write(io_, **file, "0123456789"), 10U);
  EXPECT_EQ((*file)->seek(io_, -4, OpenFile::Whence::end), 6U);
  EXPECT_EQ(read(io_, **file), "6789");
  EXPECT_EQ(read(io_, **file), "");
  EXPECT_EQ(write_at(io_, **file, "XY", 4), 2U);
  EXPECT_EQ((*file)->seek(io_, 0, OpenFile::Whence::current), 10U);
  EXPECT_EQ(read_at(io_, **file, 0), "0123XY6789");
  EXPECT_EQ(error_of((*file)->seek(io_, -1, OpenFile::Whence::set)), Errno::inval);
  EXPECT_EQ(error_of((*file)->seek(io_, INT64_MAX, OpenFile::Whence::current)), Errno::overflow);
  EXPECT_EQ((*file)->seek(io_, 1LL << 60, OpenFile::Whence::set), 1ULL << 60);
  EXPECT_EQ(read(io_, **file), "");
  EXPECT_EQ((*file)->readable(io_), 0U);
}

TEST_F(TmpTest, AppendsWhereverThePositionIs) {
  const auto file =
      tmp_->open(io_, "log", {.create = true, .append = true, .read = true, .write = true});
  ASSERT_TRUE(write(io_, **file, "one "));
  ASSERT_TRUE((*file)->seek(io_, 0, OpenFile::Whence::set));
  ASSERT_TRUE(write(io_, **file, "two"));
  EXPECT_EQ((*file)->seek(io_, 0, OpenFile::Whence::current), 7U);
  ASSERT_TRUE((*file)->set_append(io_, 0));
  ASSERT_TRUE((*file)->seek(io_, 0, OpenFile::Whence::set));
  ASSERT_TRUE(write(io_, **file, "ONE"));
  EXPECT_EQ(get(io_, *tmp_, "log"), "ONE two");
}

TEST_F(TmpTest, TruncatesAtOpenForAllWhoHaveTheFileOpen) {
  ASSERT_EQ(put(io_, *tmp_, "f", "text"), Errno::success);
  const auto before = tmp_->open(io_, "f", kRead);
  ASSERT_TRUE(tmp_->open(io_, "f", {.truncate = true, .write = true}));
  EXPECT_EQ(read(io_, **before), "");
}

// --- names

TEST_F(TmpTest, AnOpenFileOutlivesItsName) {
  ASSERT_EQ(put(io_, *tmp_, "f", "text"), Errno::success);
  const auto file = tmp_->open(io_, "f", kReadWrite);
  ASSERT_TRUE(tmp_->unlink(io_, "f"));
  EXPECT_EQ(error_of(tmp_->open(io_, "f", kRead)), Errno::noent);
  EXPECT_EQ((*file)->stat(io_)->links, 0U);
  ASSERT_TRUE(write_at(io_, **file, "T", 0));
  EXPECT_EQ(read(io_, **file), "Text");
  ASSERT_TRUE((*file)->close(io_));
  EXPECT_EQ(io_.charged, 0);
}

TEST_F(TmpTest, AnOpenFileOutlivesTheTree) {
  const auto file = tmp_->open(io_, "f", kCreate);
  tmp_.reset();
  EXPECT_EQ(write(io_, **file, "text"), 4U);
  EXPECT_EQ(read_at(io_, **file, 0), "text");
}

TEST_F(TmpTest, MakesAndRemovesFolders) {
  EXPECT_EQ(error_of(tmp_->make_folder(io_, "x/y")), Errno::noent);
  EXPECT_EQ(error_of(tmp_->make_folder(io_, "")), Errno::exist);
  EXPECT_EQ(error_of(tmp_->remove_folder(io_, "")), Errno::busy);
  ASSERT_TRUE(tmp_->make_folder(io_, "d"));
  EXPECT_EQ(error_of(tmp_->make_folder(io_, "d")), Errno::exist);
  ASSERT_EQ(put(io_, *tmp_, "d/f", "x"), Errno::success);
  EXPECT_EQ(error_of(tmp_->remove_folder(io_, "d")), Errno::notempty);
  EXPECT_EQ(error_of(tmp_->remove_folder(io_, "d/f")), Errno::notdir);
  EXPECT_EQ(error_of(tmp_->unlink(io_, "d")), Errno::isdir);
  ASSERT_TRUE(tmp_->unlink(io_, "d/f"));
  ASSERT_TRUE(tmp_->remove_folder(io_, "d"));
  EXPECT_EQ(error_of(tmp_->remove_folder(io_, "d")), Errno::noent);
}

TEST_F(TmpTest, ARemovedFolderThatIsOpenListsNothing) {
  ASSERT_TRUE(tmp_->make_folder(io_, "d"));
  const auto folder = tmp_->open(io_, "d", kFolder);
  ASSERT_TRUE(tmp_->remove_folder(io_, "d"));
  const auto entries = (*folder)->list(io_, 0, 10);
  EXPECT_TRUE(entries && entries->empty());
  ASSERT_TRUE((*folder)->close(io_));
  EXPECT_EQ(io_.charged, 0);
}

TEST_F(TmpTest, ListingSeesEachNameOnceWhateverIsRemovedMeanwhile) {
  for (const char* name : {"c", "a", "b", "d"})
    ASSERT_EQ(put(io_, *tmp_, name, ""), Errno::success);
  EXPECT_THAT(names(io_, *tmp_, "", 1), ElementsAre("c", "a", "b", "d"));
  const auto folder = tmp_->open(io_, "", kFolder);
  const auto first = (*folder)->list(io_, 0, 2);
  ASSERT_EQ(first->size(), 2U);
  ASSERT_TRUE(tmp_->unlink(io_, "c"));
  ASSERT_TRUE(tmp_->unlink(io_, "b"));
  const auto rest = (*folder)->list(io_, first->back().next, 10);
  ASSERT_EQ(rest->size(), 1U);
  EXPECT_EQ(rest->front().name, "d");
}

TEST_F(TmpTest, ListingStaysTrueThroughManyRemovals) {
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(put(io_, *tmp_, std::to_string(i), ""), Errno::success);
  const auto folder = tmp_->open(io_, "", kFolder);
  std::vector<std::string> seen;
  for (std::uint64_t cookie = 0;;) {
    const auto some = (*folder)->list(io_, cookie, 10);
    if (some->empty()) break;
    for (const auto& entry : *some) {
      seen.push_back(entry.name);
      ASSERT_TRUE(tmp_->unlink(io_, entry.name));
    }
    cookie = some->back().next;
  }
  EXPECT_EQ(seen.size(), 1000U);
  EXPECT_EQ(seen.back(), "999");
  ASSERT_TRUE((*folder)->close(io_));
  EXPECT_EQ(io_.charged, 0);
}

// --- rename

TEST_F(TmpTest, RenamesAsRename2Says) {
  ASSERT_TRUE(tmp_->make_folder(io_, "d"));
  ASSERT_TRUE(tmp_->make_folder(io_, "d/sub"));
  ASSERT_TRUE(tmp_->make_folder(io_, "empty"));
  ASSERT_EQ(put(io_, *tmp_, "f", "text"), Errno::success);
  EXPECT_EQ(error_of(tmp_->rename(io_, "none", "x")), Errno::noent);
  EXPECT_EQ(error_of(tmp_->rename(io_, "f", "none/x")), Errno::noent);
  EXPECT_EQ(error_of(tmp_->rename(io_, "", "x")), Errno::busy);
  EXPECT_EQ(error_of(tmp_->rename(io_, "f", "")), Errno::busy);
  EXPECT_EQ(error_of(tmp_->rename(io_, "f", "d")), Errno::isdir);
  EXPECT_EQ(error_of(tmp_->rename(io_, "d", "f")), Errno::notdir);
  EXPECT_EQ(error_of(tmp_->rename(io_, "empty", "d")), Errno::notempty);
  EXPECT_EQ(error_of(tmp_->rename(io_, "d", "d/sub/x")), Errno::inval);
  EXPECT_EQ(error_of(tmp_->rename(io_, "d", "d/x")), Errno::inval);
  EXPECT_EQ(error_of(tmp_->rename(io_, "d/sub", "d")), Errno::notempty);
  EXPECT_TRUE(tmp_->rename(io_, "d", "d"));
  EXPECT_TRUE(tmp_->rename(io_, "f", "f"));
  EXPECT_TRUE(tmp_->rename(io_, "d", "empty"));
  EXPECT_THAT(names(io_, *tmp_, ""), ElementsAre("f", "empty"));
  EXPECT_THAT(names(io_, *tmp_, "empty"), ElementsAre("sub"));
}

TEST_F(TmpTest, RenamesOverAFileThatIsStillOpen) {
  ASSERT_EQ(put(io_, *tmp_, "from", "new"), Errno::success);
  ASSERT_EQ(put(io_, *tmp_, "to", "old"), Errno::success);
  const auto old = tmp_->open(io_, "to", kRead);
  ASSERT_TRUE(tmp_->rename(io_, "from", "to"));
  EXPECT_EQ(get(io_, *tmp_, "to"), "new");
  EXPECT_EQ(read(io_, **old), "old");
  EXPECT_EQ(error_of(tmp_->stat(io_, "from", true)), Errno::noent);
}

TEST_F(TmpTest, RenamesOverAFileEvenWhenTheQuotaIsUsedUp) {
  ASSERT_EQ(put(io_, *tmp_, "a", "new"), Errno::success);
  ASSERT_EQ(put(io_, *tmp_, "a-longer-name", "old"), Errno::success);
  io_.quota = io_.charged;
  EXPECT_EQ(error_of(tmp_->rename(io_, "a", "some-longer-name")), Errno::dquot);
  EXPECT_EQ(get(io_, *tmp_, "a"), "new");
  EXPECT_TRUE(tmp_->rename(io_, "a", "a-longer-name"));
  EXPECT_EQ(get(io_, *tmp_, "a-longer-name"), "new");
}

// --- links

TEST_F(TmpTest, FollowsSymbolicLinksInsideAndNoneThatLeadOut) {
  ASSERT_TRUE(tmp_->make_folder(io_, "d"));
  ASSERT_EQ(put(io_, *tmp_, "d/f", "text"), Errno::success);
  EXPECT_EQ(error_of(tmp_->symlink(io_, "/etc/passwd", "l")), Errno::perm);
  EXPECT_EQ(error_of(tmp_->symlink(io_, "", "l")), Errno::noent);
  EXPECT_EQ(error_of(tmp_->symlink(io_, std::string(4096, 'x'), "l")), Errno::nametoolong);
  EXPECT_EQ(error_of(tmp_->symlink(io_, "x", "d/f")), Errno::exist);
  ASSERT_TRUE(tmp_->symlink(io_, "d", "to-d"));
  ASSERT_TRUE(tmp_->symlink(io_, "../to-d//./f", "d/round"));
  ASSERT_TRUE(tmp_->symlink(io_, "../../etc/passwd", "d/out"));
  EXPECT_EQ(get(io_, *tmp_, "to-d/f"), "text");
  EXPECT_EQ(get(io_, *tmp_, "to-d/round"), "text");
  EXPECT_EQ(error_of(tmp_->open(io_, "d/out", kRead)), Errno::perm);
  EXPECT_EQ(*tmp_->read_link(io_, "d/round"), "../to-d//./f");
  EXPECT_EQ(error_of(tmp_->read_link(io_, "d/f")), Errno::inval);
  EXPECT_EQ(tmp_->stat(io_, "to-d", false)->type, FileType::symlink);
  EXPECT_EQ(tmp_->stat(io_, "to-d", true)->type, FileType::folder);
  EXPECT_EQ(error_of(tmp_->open(io_, "to-d", {.read = true, .follow = false})), Errno::loop);
}

TEST_F(TmpTest, CreatesTheFileThatALinkLeadsTo) {
  ASSERT_TRUE(tmp_->symlink(io_, "target", "l"));
  EXPECT_EQ(error_of(tmp_->open(io_, "l", {.create = true, .exclusive = true, .write = true})),
            Errno::exist);
  EXPECT_EQ(put(io_, *tmp_, "l", "text"), Errno::success);
  EXPECT_EQ(get(io_, *tmp_, "target"), "text");
}

TEST_F(TmpTest, EndsPathsThatLinksMakeVeryLong) {
  ASSERT_TRUE(tmp_->make_folder(io_, "d"));
  std::string there_and_back;
  for (int i = 0; i < 800; ++i) there_and_back += "d/../";
  ASSERT_TRUE(tmp_->symlink(io_, there_and_back + "d", "0"));
  for (int i = 1; i < 10; ++i) {
    ASSERT_TRUE(tmp_->symlink(io_, there_and_back + std::to_string(i - 1), std::to_string(i)));
  }
  EXPECT_TRUE(tmp_->stat(io_, "3", true));
  EXPECT_EQ(error_of(tmp_->stat(io_, "9", true)), Errno::loop);
}

TEST_F(TmpTest, EndsLoopsOfLinks) {
  ASSERT_TRUE(tmp_->symlink(io_, "b", "a"));
  ASSERT_TRUE(tmp_->symlink(io_, "a", "b"));
  ASSERT_TRUE(tmp_->symlink(io_, "self/x/x/x", "self"));
  EXPECT_EQ(error_of(tmp_->open(io_, "a", kRead)), Errno::loop);
  EXPECT_EQ(error_of(tmp_->stat(io_, "self", true)), Errno::loop);
  EXPECT_TRUE(tmp_->unlink(io_, "a"));
}

TEST_F(TmpTest, HardLinksShareAFile) {
  ASSERT_EQ(put(io_, *tmp_, "f", "text"), Errno::success);
  ASSERT_TRUE(tmp_->make_folder(io_, "d"));
  EXPECT_EQ(error_of(tmp_->link(io_, "d", "e")), Errno::perm);
  EXPECT_EQ(error_of(tmp_->link(io_, "f", "d")), Errno::exist);
  ASSERT_TRUE(tmp_->link(io_, "f", "d/g"));
  EXPECT_TRUE(tmp_->rename(io_, "f", "d/g"));  // two names of one file: nothing happens
  EXPECT_EQ(tmp_->stat(io_, "f", true)->links, 2U);
  EXPECT_EQ(tmp_->stat(io_, "f", true)->inode, tmp_->stat(io_, "d/g", true)->inode);
  ASSERT_TRUE(tmp_->unlink(io_, "f"));
  EXPECT_EQ(get(io_, *tmp_, "d/g"), "text");
}

// --- times

TEST_F(TmpTest, KeepsTimes) {
  ASSERT_EQ(put(io_, *tmp_, "f", "x"), Errno::success);
  EXPECT_EQ(tmp_->stat(io_, "f", true)->modified, 1'000'000'000U);
  io_.test_clock.time = std::chrono::seconds(2);
  ASSERT_EQ(put(io_, *tmp_, "f", "y"), Errno::success);
  EXPECT_EQ(tmp_->stat(io_, "f", true)->modified, 2'000'000'000U);
  ASSERT_TRUE(tmp_->set_times(io_, "f", {.accessed = 5}, true));
  EXPECT_EQ(tmp_->stat(io_, "f", true)->accessed, 5U);
  EXPECT_EQ(tmp_->stat(io_, "f", true)->modified, 2'000'000'000U);
}

// --- quota

TEST_F(TmpTest, ChargesNothingBeforeItIsUsed) {
  EXPECT_TRUE(names(io_, *tmp_, "").empty());
  EXPECT_EQ(io_.charged, 0);
}

TEST_F(TmpTest, GivesBackAllWhenAllIsRemoved) {
  ASSERT_TRUE(tmp_->make_folder(io_, "d"));
  ASSERT_EQ(put(io_, *tmp_, "d/f", std::string(100'000, 'x')), Errno::success);
  ASSERT_TRUE(tmp_->symlink(io_, "d/f", "l"));
  ASSERT_TRUE(tmp_->link(io_, "d/f", "a-second-name"));
  ASSERT_TRUE(tmp_->rename(io_, "a-second-name", "d/third"));
  ASSERT_EQ(put(io_, *tmp_, "g", "y"), Errno::success);
  ASSERT_TRUE(tmp_->rename(io_, "g", "d/third"));
  EXPECT_GT(io_.charged, 100'000);
  for (const char* name : {"d/f", "d/third", "l"}) ASSERT_TRUE(tmp_->unlink(io_, name)) << name;
  ASSERT_TRUE(tmp_->remove_folder(io_, "d"));
  EXPECT_EQ(io_.charged, 0);
}

TEST_F(TmpTest, ARefusedCreationChargesNothing) {
  io_.quota = 300;  // an inode, but not its name
  EXPECT_EQ(error_of(tmp_->open(io_, "f", kCreate)), Errno::dquot);
  EXPECT_EQ(io_.charged, 0);
  EXPECT_TRUE(names(io_, *tmp_, "").empty());
  EXPECT_EQ(error_of(tmp_->make_folder(io_, "f")), Errno::dquot);
  EXPECT_EQ(error_of(tmp_->symlink(io_, "x", "f")), Errno::dquot);
  EXPECT_EQ(io_.charged, 0);
}

TEST_F(TmpTest, AFullQuotaEndsTheMakingOfFiles) {
  io_.quota = 8 << 20;
  int made = 0;
  Errno last = Errno::success;
  while (made < 1'000'000 && last == Errno::success) {
    last = error_of(tmp_->open(io_, "f" + std::to_string(made), kCreate));
    made += last == Errno::success;
  }
  EXPECT_EQ(last, Errno::dquot);
  EXPECT_GT(made, 5'000);
  EXPECT_LE(io_.charged, io_.quota);
  EXPECT_EQ(static_cast<int>(names(io_, *tmp_, "", 1000).size()), made);
}

TEST_F(TmpTest, HoldsAtMost32768Files) {
  io_.quota = INT64_MAX;
  Errno last = Errno::success;
  int made = 0;
  while (made < 100'000 && last == Errno::success) {
    last = error_of(tmp_->make_folder(io_, std::to_string(made)));
    made += last == Errno::success;
  }
  EXPECT_EQ(last, Errno::nospc);
  EXPECT_EQ(made, (1 << 15) - 1);  // and the root
}

// Folders are destroyed in a loop: a deep tree must not use up the stack.
TEST_F(TmpTest, DestroysTheDeepestTree) {
  std::string path = "d";
  ASSERT_TRUE(tmp_->make_folder(io_, path));
  for (int i = 0; i < 30'000; ++i) {
    ASSERT_TRUE(tmp_->make_folder(io_, "next"));
    ASSERT_TRUE(tmp_->rename(io_, "d", "next/d"));
    ASSERT_TRUE(tmp_->rename(io_, "next", "d"));
  }
  tmp_.reset();
}

}  // namespace
}  // namespace carrel::capability::tmp
