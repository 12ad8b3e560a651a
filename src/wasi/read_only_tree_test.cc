#include "wasi/read_only_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wasi/names.h"
#include "wasi/test_io.h"

namespace carrel::wasi {
namespace {

using ::testing::ElementsAre;
using namespace testing;

Content text(std::string value) { return std::make_shared<const std::string>(std::move(value)); }

class ReadOnlyTreeTest : public ::testing::Test {
 protected:
  ReadOnlyTreeTest() {
    ReadOnlyTree::Builder files;
    EXPECT_TRUE(files.add("a.txt", text("alpha"), 7));
    EXPECT_TRUE(files.add("d/e/deep", text("below")));
    EXPECT_TRUE(files.add("d-x", text("")));
    EXPECT_TRUE(files.add_folder("empty"));
    tree_ = std::move(files).build();
  }
  TestIo io_;
  std::shared_ptr<Node> tree_;
};

TEST(ReadOnlyTreeBuilder, RefusesPathsThatAreNotPlain) {
  ReadOnlyTree::Builder files;
  for (const std::string path : {"", "/a", "a/", "a//b", ".", "..", "a/../b", "a/."}) {
    EXPECT_EQ(error_of(files.add(path, text("x"))), Errno::inval) << path;
  }
  EXPECT_EQ(error_of(files.add(std::string("a\0b", 3), text("x"))), Errno::inval);
  EXPECT_EQ(error_of(files.add("a", nullptr)), Errno::inval);
}

TEST(ReadOnlyTreeBuilder, RefusesWhatIsTakenAndWhatWouldBeBelowAFile) {
  ReadOnlyTree::Builder files;
  ASSERT_TRUE(files.add("a/b", text("x")));
  EXPECT_EQ(error_of(files.add("a/b", text("y"))), Errno::exist);
  EXPECT_EQ(error_of(files.add("a", text("y"))), Errno::exist);
  EXPECT_EQ(error_of(files.add("a/b/c/d", text("y"))), Errno::notdir);
  EXPECT_EQ(error_of(files.add_folder("a/b")), Errno::exist);
  TestIo io;
  const auto tree = std::move(files).build();
  EXPECT_EQ(get(io, *tree, "a/b"), "x");
  EXPECT_THAT(names(io, *tree, "a"), ElementsAre("b"));
}

TEST_F(ReadOnlyTreeTest, SaysWhatIsMissingAndWhatIsNoFolder) {
  EXPECT_EQ(error_of(tree_->open(io_, "none", kRead)), Errno::noent);
  EXPECT_EQ(error_of(tree_->open(io_, "none/deeper", kRead)), Errno::noent);
  EXPECT_EQ(error_of(tree_->open(io_, "a.txt/b/c", kRead)), Errno::notdir);
  EXPECT_EQ(error_of(tree_->open(io_, "a.txt", kFolder)), Errno::notdir);
  EXPECT_EQ(error_of(tree_->stat(io_, "d/none", true)), Errno::noent);
}

TEST_F(ReadOnlyTreeTest, RefusesEveryChange) {
  EXPECT_EQ(error_of(tree_->open(io_, "a.txt", kWrite)), Errno::rofs);
  EXPECT_EQ(error_of(tree_->open(io_, "a.txt", {.truncate = true, .read = true})), Errno::rofs);
  EXPECT_EQ(error_of(tree_->open(io_, "new", kCreate)), Errno::rofs);
  EXPECT_EQ(error_of(tree_->open(io_, "none/new", kCreate)), Errno::noent);
  EXPECT_EQ(error_of(tree_->open(io_, "a.txt/new", kCreate)), Errno::notdir);
  EXPECT_EQ(error_of(tree_->open(io_, "a.txt", {.create = true, .exclusive = true, .read = true})),
            Errno::exist);
  EXPECT_EQ(error_of(tree_->open(io_, "d", kWrite)), Errno::isdir);
  EXPECT_EQ(error_of(tree_->unlink(io_, "a.txt")), Errno::rofs);
  EXPECT_EQ(error_of(tree_->rename(io_, "a.txt", "b")), Errno::rofs);
  EXPECT_EQ(error_of(tree_->set_times(io_, "a.txt", {}, true)), Errno::rofs);
  auto file = tree_->open(io_, "a.txt", kRead);
  EXPECT_EQ(error_of(write(io_, **file, "x")), Errno::badf);
  EXPECT_EQ(error_of((*file)->set_times(io_, {})), Errno::rofs);
}

TEST_F(ReadOnlyTreeTest, ReadsFromAPositionAndFromAnywhere) {
  auto file = tree_->open(io_, "a.txt", {.create = true, .read = true});
  ASSERT_TRUE(file);
  EXPECT_EQ(read(io_, **file, 2), "al");
  EXPECT_EQ(read_at(io_, **file, 4), "a");
  EXPECT_EQ(read_at(io_, **file, UINT64_MAX), "");
  EXPECT_EQ(read(io_, **file), "pha");
  EXPECT_EQ(read(io_, **file), "");
  EXPECT_EQ((*file)->seek(io_, -1, OpenFile::Whence::end), 4U);
  EXPECT_EQ((*file)->readable(io_), 1U);
  EXPECT_EQ(error_of((*file)->seek(io_, -5, OpenFile::Whence::current)), Errno::inval);
  EXPECT_EQ(error_of((*file)->seek(io_, INT64_MAX, OpenFile::Whence::end)), Errno::overflow);
  EXPECT_EQ(read(io_, **file), "a");
}

TEST_F(ReadOnlyTreeTest, ListsInTheOrderOfNames) {
  EXPECT_THAT(names(io_, *tree_, ""), ElementsAre("a.txt", "d", "d-x", "empty"));
  EXPECT_THAT(names(io_, *tree_, "d/e"), ElementsAre("deep"));
  EXPECT_THAT(names(io_, *tree_, "empty"), ElementsAre());
  const auto folder = tree_->open(io_, "", kFolder);
  const auto past = (*folder)->list(io_, UINT64_MAX, 10);
  EXPECT_TRUE(past && past->empty());
}

TEST_F(ReadOnlyTreeTest, TellsSizesTypesAndTimes) {
  const auto file = tree_->stat(io_, "a.txt", true);
  EXPECT_EQ(file->size, 5U);
  EXPECT_EQ(file->type, FileType::regular);
  EXPECT_EQ(file->modified, 7U);
  EXPECT_EQ(tree_->stat(io_, "", true)->type, FileType::folder);
}

TEST_F(ReadOnlyTreeTest, AnOpenFileOutlivesTheTree) {
  auto file = tree_->open(io_, "a.txt", kRead);
  auto folder = tree_->open(io_, "d", kFolder);
  tree_.reset();
  EXPECT_EQ(read(io_, **file), "alpha");
  EXPECT_EQ((*folder)->list(io_, 0, 10)->front().name, "e");
}

TEST(Names, EncodesWhatAPathCannotHoldAndDecodesItAgain) {
  EXPECT_EQ(encode_name("a/b%"), "a%2Fb%25");
  EXPECT_EQ(encode_name("."), "%2E");
  EXPECT_EQ(encode_name(".."), "%2E.");
  EXPECT_EQ(encode_name("..."), "...");
  EXPECT_EQ(encode_name(std::string_view("\0", 1)), "%00");
  for (const std::string_view name : {"", ".", "..", "a/b", "100%", "%2F", "\xff\x80"}) {
    EXPECT_EQ(decode_name(encode_name(name)), name);
  }
}

TEST(Names, RefusesAPercentSignWithoutTwoDigits) {
  for (const std::string_view name : {"%", "%2", "a%g0", "%0g", "%%41"})
    EXPECT_FALSE(decode_name(name)) << name;
  EXPECT_EQ(decode_name("%2f"), "/");
}

}  // namespace
}  // namespace carrel::wasi
