#include "capability/folder/folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>

#include "capability/folder/host_errno.h"
#include "wasi/test_io.h"

namespace carrel::capability::folder {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using wasi::Errno;
using wasi::FileType;
using wasi::OpenFile;
using namespace wasi::testing;

// A folder "in" to mount, and a secret beside it that nothing below may reach.
class FolderTest : public ::testing::Test {
 protected:
  FolderTest() {
    std::string pattern = (fs::temp_directory_path() / "carrel-folder-XXXXXX").string();
    top_ = mkdtemp(pattern.data());
    fs::create_directories(top_ / "in/d");
    fs::create_directories(top_ / "outside");
    std::ofstream(top_ / "secret") << "secret";
    std::ofstream(top_ / "in/f") << "text";
    std::ofstream(top_ / "in/d/g") << "deeper";
    node_ = *mount(top_ / "in", Access::read_write);
    fixed_ = *mount(top_ / "in", Access::read_only);
  }
  ~FolderTest() override { fs::remove_all(top_); }

  fs::path top_;
  TestIo io_;
  std::shared_ptr<wasi::Node> node_, fixed_;
};

// --- mount

TEST_F(FolderTest, MountingNamesTheFolderAndTheRemedy) {
  const auto missing = mount(top_ / "none", Access::read_only);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::not_found);
  EXPECT_THAT(missing.error().describe(), HasSubstr((top_ / "none").string()));
  EXPECT_THAT(missing.error().help(), HasSubstr("create the folder"));
  EXPECT_EQ(mount(top_ / "in/f", Access::read_only).error().code(), Code::invalid_argument);
}

// --- ways out

TEST_F(FolderTest, DotsDoNotLeadOutside) {
  for (const char* path : {"..", "../secret", "d/../../secret", "./../in/f", "d/../..", "../in"}) {
    EXPECT_EQ(error_of(node_->open(io_, path, kRead)), Errno::perm) << path;
    EXPECT_EQ(error_of(node_->stat(io_, path, true)), Errno::perm) << path;
    EXPECT_EQ(error_of(node_->set_times(io_, path, {.modified = 1}, false)), Errno::perm) << path;
  }
  EXPECT_EQ(get(io_, *node_, "d/../f"), "text");
  EXPECT_EQ(get(io_, *node_, "./d/./g"), "deeper");
  EXPECT_EQ(error_of(node_->open(io_, "/f", kRead)), Errno::perm);
}

TEST_F(FolderTest, NoOperationWorksOnALastDot) {
  for (const char* path : {".", "..", "d/.", "d/.."}) {
    EXPECT_EQ(error_of(node_->make_folder(io_, path)), Errno::inval) << path;
    EXPECT_EQ(error_of(node_->remove_folder(io_, path)), Errno::inval) << path;
    EXPECT_EQ(error_of(node_->unlink(io_, path)), Errno::inval) << path;
    EXPECT_EQ(error_of(node_->rename(io_, path, "x")), Errno::inval) << path;
    EXPECT_EQ(error_of(node_->rename(io_, "f", path)), Errno::inval) << path;
    EXPECT_EQ(error_of(node_->link(io_, path, "x")), Errno::inval) << path;
    EXPECT_EQ(error_of(node_->symlink(io_, "x", path)), Errno::inval) << path;
    EXPECT_EQ(error_of(node_->read_link(io_, path)), Errno::inval) << path;
  }
  EXPECT_EQ(error_of(node_->remove_folder(io_, "")), Errno::busy);
  EXPECT_EQ(error_of(node_->rename(io_, "d", "")), Errno::busy);
}

TEST_F(FolderTest, SymbolicLinksDoNotLeadOutside) {
  fs::create_symlink("../secret", top_ / "in/relative");
  fs::create_symlink(top_ / "secret", top_ / "in/absolute");
  fs::create_directory_symlink("..", top_ / "in/up");
  fs::create_symlink(top_ / "in/f", top_ / "in/absolute-inside");
  fs::create_symlink("../outside/made", top_ / "in/dangling");
  for (const char* path : {"relative", "absolute", "up/secret", "d/../up/secret", "absolute-inside",
                           "up", "up/in/f"}) {
    EXPECT_EQ(error_of(node_->open(io_, path, kRead)), Errno::perm) << path;
    EXPECT_EQ(error_of(node_->stat(io_, path, true)), Errno::perm) << path;
  }
  EXPECT_EQ(error_of(node_->open(io_, "dangling", kCreate)), Errno::perm);
  EXPECT_EQ(error_of(node_->make_folder(io_, "up/made")), Errno::perm);
  EXPECT_EQ(error_of(node_->unlink(io_, "up/secret")), Errno::perm);
  EXPECT_EQ(error_of(node_->rename(io_, "f", "up/f")), Errno::perm);
  EXPECT_EQ(error_of(node_->rename(io_, "up/secret", "s")), Errno::perm);
  EXPECT_EQ(error_of(node_->link(io_, "up/secret", "s")), Errno::perm);
  EXPECT_EQ(error_of(node_->symlink(io_, "x", "up/s")), Errno::perm);
  EXPECT_EQ(error_of(node_->set_times(io_, "relative", {.modified = 1}, true)), Errno::perm);
  EXPECT_EQ(error_of(node_->read_link(io_, "absolute")), Errno::perm);
  EXPECT_TRUE(fs::exists(top_ / "secret"));
  EXPECT_TRUE(fs::is_empty(top_ / "outside"));
  EXPECT_EQ(node_->stat(io_, "relative", false)->type, FileType::symlink);
}

TEST_F(FolderTest, MakesOnlyRelativeLinks) {
  EXPECT_EQ(error_of(node_->symlink(io_, "/etc/passwd", "l")), Errno::perm);
  EXPECT_EQ(error_of(node_->symlink(io_, std::string_view("f\0x", 3), "l")), Errno::inval);
  ASSERT_TRUE(node_->symlink(io_, "../f", "d/l"));
  EXPECT_EQ(get(io_, *node_, "d/l"), "text");
  EXPECT_EQ(*node_->read_link(io_, "d/l"), "../f");
  EXPECT_EQ(error_of(node_->read_link(io_, "f")), Errno::inval);
  EXPECT_EQ(error_of(node_->read_link(io_, "")), Errno::inval);
  EXPECT_EQ(error_of(node_->open(io_, "d/l", {.read = true, .follow = false})), Errno::loop);
  ASSERT_TRUE(node_->symlink(io_, "loop", "loop"));
  EXPECT_EQ(error_of(node_->open(io_, "loop", kRead)), Errno::loop);
}

TEST_F(FolderTest, RefusesNulsAndNamesThatAreTooLong) {
  EXPECT_EQ(error_of(node_->open(io_, std::string_view("f\0g", 3), kRead)), Errno::inval);
  EXPECT_EQ(error_of(node_->unlink(io_, std::string_view("f\0g", 3))), Errno::inval);
  EXPECT_EQ(error_of(node_->unlink(io_, std::string_view("d\0/f", 4))), Errno::inval);
  EXPECT_EQ(error_of(node_->open(io_, std::string(256, 'n'), kCreate)), Errno::nametoolong);
  EXPECT_EQ(error_of(node_->make_folder(io_, std::string(256, 'n'))), Errno::nametoolong);
  std::string deep = "d";
  for (int i = 0; i < 3000; ++i) deep += "/d";
  EXPECT_EQ(error_of(node_->open(io_, deep, kRead)), Errno::nametoolong);
  EXPECT_TRUE(fs::exists(top_ / "in/f"));
}

// Somebody swaps a folder for a link to the outside while paths through it are resolved.
TEST_F(FolderTest, ARaceOfRenamesReachesNothingOutside) {
  std::ofstream(top_ / "outside/g") << "secret";
  fs::create_directory_symlink("../outside", top_ / "in/link");
  std::jthread other([this](std::stop_token stop) {
    while (!stop.stop_requested()) {
      renameat2(AT_FDCWD, (top_ / "in/d").c_str(), AT_FDCWD, (top_ / "in/link").c_str(),
                RENAME_EXCHANGE);
    }
  });
  for (int i = 0; i < 5'000; ++i) {
    const std::string text = get(io_, *node_, "d/g");
    ASSERT_TRUE(text == "deeper" || text.starts_with("error")) << text;
    static_cast<void>(put(io_, *node_, "d/new", "x"));
    static_cast<void>(node_->make_folder(io_, "d/folder"));
    static_cast<void>(node_->unlink(io_, "d/../link/g2"));
  }
  other.request_stop();
  other.join();
  EXPECT_FALSE(fs::exists(top_ / "outside/new"));
  EXPECT_FALSE(fs::exists(top_ / "outside/folder"));
}

// --- what is neither file nor folder

TEST_F(FolderTest, AFifoBlocksNobody) {
  ASSERT_EQ(mkfifo((top_ / "in/fifo").c_str(), 0600), 0);
  for (const auto& how : {kRead, kWrite, kReadWrite, kCreate}) {
    EXPECT_EQ(error_of(node_->open(io_, "fifo", how)), Errno::nxio);
  }
  EXPECT_EQ(node_->stat(io_, "fifo", true)->type, FileType::unknown);
}

TEST_F(FolderTest, SocketsCannotBeOpened) {
  sockaddr_un address{.sun_family = AF_UNIX};
  const std::string path = top_ / "in/socket";
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(error_of(node_->open(io_, "socket", kRead)), Errno::nxio);
  close(fd);
}

// --- read-only

TEST_F(FolderTest, AReadOnlyMountRefusesEveryChange) {
  EXPECT_EQ(error_of(fixed_->open(io_, "f", kWrite)), Errno::rofs);
  EXPECT_EQ(error_of(fixed_->open(io_, "f", {.truncate = true, .read = true})), Errno::rofs);
  EXPECT_EQ(error_of(fixed_->open(io_, "new", {.create = true, .read = true})), Errno::rofs);
  EXPECT_EQ(error_of(fixed_->open(io_, "f", {.create = true, .exclusive = true, .read = true})),
            Errno::exist);
  EXPECT_EQ(error_of(fixed_->make_folder(io_, "new")), Errno::rofs);
  EXPECT_EQ(error_of(fixed_->remove_folder(io_, "d")), Errno::rofs);
  EXPECT_EQ(error_of(fixed_->unlink(io_, "f")), Errno::rofs);
  EXPECT_EQ(error_of(fixed_->rename(io_, "f", "g")), Errno::rofs);
  EXPECT_EQ(error_of(fixed_->link(io_, "f", "g")), Errno::rofs);
  EXPECT_EQ(error_of(fixed_->symlink(io_, "f", "g")), Errno::rofs);
  EXPECT_EQ(error_of(fixed_->set_times(io_, "f", {.modified = 1}, true)), Errno::rofs);
  const auto file = fixed_->open(io_, "f", {.create = true, .read = true});
  ASSERT_TRUE(file);
  EXPECT_EQ(error_of(write(io_, **file, "x")), Errno::badf);
  EXPECT_EQ(error_of((*file)->set_size(io_, 0)), Errno::rofs);
  EXPECT_EQ(error_of((*file)->set_times(io_, {.modified = 1})), Errno::rofs);
  EXPECT_EQ(error_of((*file)->allocate(io_, 0, 10)), Errno::notsup);
  EXPECT_EQ(read(io_, **file), "text");
  EXPECT_THAT(names(io_, *fixed_, ""), UnorderedElementsAre("f", "d"));
}

// --- the ordinary

TEST_F(FolderTest, ReadsWritesSeeksAndTruncates) {
  const auto file = node_->open(io_, "new", kCreate);
  ASSERT_TRUE(file);
  EXPECT_EQ(write(io_, **file, "0123456789"), 10U);
  EXPECT_EQ(write_at(io_, **file, "XY", 4), 2U);
  EXPECT_EQ((*file)->seek(io_, -7, OpenFile::Whence::end), 3U);
  EXPECT_EQ((*file)->readable(io_), 7U);
  EXPECT_EQ(read(io_, **file, 4), "3XY6");
  EXPECT_EQ(error_of((*file)->seek(io_, -1, OpenFile::Whence::set)), Errno::inval);
  EXPECT_EQ(read_at(io_, **file, UINT64_MAX), "error 28");
  EXPECT_EQ(error_of(write_at(io_, **file, "x", UINT64_MAX)), Errno::fbig);
  EXPECT_EQ(error_of((*file)->set_size(io_, UINT64_MAX)), Errno::fbig);
  ASSERT_TRUE((*file)->set_size(io_, 2));
  ASSERT_TRUE((*file)->set_append(io_, 1));
  ASSERT_TRUE(write(io_, **file, "end"));
  EXPECT_EQ(get(io_, *node_, "new"), "01end");
  ASSERT_TRUE((*file)->set_times(io_, {.modified = 3'000'000'005}));
  EXPECT_EQ(node_->stat(io_, "new", true)->modified, 3'000'000'005U);
  EXPECT_TRUE((*file)->sync(io_));
}

TEST_F(FolderTest, MovesAtMost256KiBACall) {
  const auto file = node_->open(io_, "new", kCreate);
  EXPECT_EQ(write(io_, **file, std::string(1 << 20, 'x')), 256U << 10);
}

TEST_F(FolderTest, AnswersLikeAPosixFolder) {
  EXPECT_EQ(error_of(node_->open(io_, "none", kRead)), Errno::noent);
  EXPECT_EQ(error_of(node_->open(io_, "f/x", kRead)), Errno::notdir);
  EXPECT_EQ(error_of(node_->open(io_, "f", kFolder)), Errno::notdir);
  EXPECT_EQ(error_of(node_->open(io_, "d", kWrite)), Errno::isdir);
  EXPECT_EQ(error_of(node_->open(io_, "f", {.create = true, .exclusive = true, .write = true})),
            Errno::exist);
  EXPECT_EQ(error_of(node_->make_folder(io_, "d")), Errno::exist);
  EXPECT_EQ(error_of(node_->remove_folder(io_, "d")), Errno::notempty);
  EXPECT_EQ(error_of(node_->remove_folder(io_, "f")), Errno::notdir);
  EXPECT_EQ(error_of(node_->unlink(io_, "d")), Errno::isdir);
  EXPECT_EQ(error_of(node_->rename(io_, "d", "d/x")), Errno::inval);
  ASSERT_TRUE(node_->link(io_, "f", "second"));
  EXPECT_EQ(node_->stat(io_, "f", true)->links, 2U);
  ASSERT_TRUE(node_->rename(io_, "f", "d/g"));
  EXPECT_EQ(get(io_, *node_, "d/g"), "text");
  ASSERT_TRUE(node_->unlink(io_, "d/g"));
  ASSERT_TRUE(node_->remove_folder(io_, "d"));
  EXPECT_THAT(names(io_, *node_, ""), ElementsAre("second"));
}

TEST_F(FolderTest, ListsEachNameOnceInAnySteps) {
  for (int i = 0; i < 700; ++i)
    std::ofstream(top_ / "in/d" / ("a-rather-long-name-" + std::to_string(i)));
  for (const std::size_t step : {1, 7, 100, 1000}) {
    auto all = names(io_, *node_, "d", step);
    EXPECT_EQ(all.size(), 701U) << step;
    std::ranges::sort(all);
    EXPECT_TRUE(std::ranges::adjacent_find(all) == all.end()) << step;
  }
}

TEST_F(FolderTest, SetsTheTimesOfALinkOrOfWhatItLeadsTo) {
  fs::create_symlink("f", top_ / "in/l");
  ASSERT_TRUE(node_->set_times(io_, "l", {.modified = 5'000'000'000}, true));
  EXPECT_EQ(node_->stat(io_, "f", true)->modified, 5'000'000'000U);
  ASSERT_TRUE(node_->set_times(io_, "l", {.modified = 6'000'000'000}, false));
  EXPECT_EQ(node_->stat(io_, "l", false)->modified, 6'000'000'000U);
  EXPECT_EQ(node_->stat(io_, "f", true)->modified, 5'000'000'000U);
}

TEST(HostErrno, NeverAsksToBeAskedAgain) {
  EXPECT_EQ(from_host(EAGAIN), Errno::busy);
  EXPECT_EQ(from_host(EXDEV), Errno::xdev);
  EXPECT_EQ(from_host(ENOTEMPTY), Errno::notempty);
  EXPECT_EQ(from_host(99999), Errno::io);
  for (int error = 0; error < 200; ++error) EXPECT_NE(from_host(error), Errno::again) << error;
}

}  // namespace
}  // namespace carrel::capability::folder
