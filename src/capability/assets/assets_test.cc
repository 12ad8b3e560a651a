#include "capability/assets/assets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "wasi/test_io.h"

namespace carrel::capability::assets {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;
using namespace wasi::testing;

class AssetsTest : public ::testing::Test {
 protected:
  AssetsTest() {
    std::string pattern = (fs::temp_directory_path() / "carrel-assets-XXXXXX").string();
    top_ = mkdtemp(pattern.data());
    folder_ = top_ / "assets";
    fs::create_directories(folder_ / "pages/empty");
    std::ofstream(top_ / "secret") << "secret";
    std::ofstream(folder_ / "prices.json") << "{}";
    std::ofstream(folder_ / "pages/home.html") << "<h1>";
  }
  ~AssetsTest() override { fs::remove_all(top_); }

  static bool in_memory(const wasi::Node& node) { return !node.resolves_dots(); }

  fs::path top_, folder_;
  TestIo io_;
};

TEST_F(AssetsTest, RefusesWhatIsNoFolder) {
  EXPECT_EQ(mount(top_ / "none").error().code(), Code::not_found);
  EXPECT_EQ(mount(top_ / "secret").error().code(), Code::invalid_argument);
}

TEST_F(AssetsTest, LeavesOutWhatLeadsOutsideOrIsNoFile) {
  fs::create_symlink("../secret", folder_ / "out");
  fs::create_symlink("nowhere", folder_ / "dangling");
  fs::create_symlink("prices.json", folder_ / "same");
  ASSERT_EQ(mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  const auto node = *mount(folder_);
  EXPECT_TRUE(in_memory(*node));
  EXPECT_THAT(names(io_, *node, ""), ElementsAre("pages", "prices.json", "same"));
  EXPECT_EQ(get(io_, *node, "same"), "{}");
}

TEST_F(AssetsTest, AreWhatTheFolderHeldWhenItWasMounted) {
  const auto node = *mount(folder_);
  EXPECT_TRUE(in_memory(*node));
  std::ofstream(folder_ / "prices.json") << "changed";
  std::ofstream(folder_ / "new") << "new";
  EXPECT_EQ(get(io_, *node, "prices.json"), "{}");
  EXPECT_EQ(get(io_, *node, "pages/home.html"), "<h1>");
  EXPECT_THAT(names(io_, *node, "pages"), ElementsAre("empty", "home.html"));
  EXPECT_EQ(error_of(node->open(io_, "new", kRead)), wasi::Errno::noent);
  EXPECT_EQ(get(io_, **mount(folder_), "new"), "new");
}

TEST_F(AssetsTest, AreReadOnly) {
  const auto node = *mount(folder_);
  EXPECT_EQ(error_of(node->open(io_, "prices.json", kWrite)), wasi::Errno::rofs);
  EXPECT_EQ(error_of(node->unlink(io_, "prices.json")), wasi::Errno::rofs);
}

TEST_F(AssetsTest, StayOnTheDiskWhenTheyAreTooManyOrTooLarge) {
  for (const SnapshotLimits limits : {SnapshotLimits{.bytes = 5}, SnapshotLimits{.files = 3}}) {
    const auto node = *mount(folder_, limits);
    EXPECT_FALSE(in_memory(*node));
    EXPECT_EQ(get(io_, *node, "pages/home.html"), "<h1>");
    EXPECT_EQ(error_of(node->open(io_, "prices.json", kWrite)), wasi::Errno::rofs);
  }
  EXPECT_TRUE(in_memory(**mount(folder_, {.bytes = 6, .files = 4})));
}

TEST_F(AssetsTest, StayOnTheDiskWhenALinkLeadsToAFolder) {
  fs::create_directory_symlink(".", folder_ / "pages/loop");
  const auto node = *mount(folder_);
  EXPECT_FALSE(in_memory(*node));
  EXPECT_EQ(get(io_, *node, "pages/loop/home.html"), "<h1>");
}

TEST_F(AssetsTest, NameTheFileThatCannotBeRead) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads everything";
  chmod((folder_ / "prices.json").c_str(), 0);
  const auto refused = mount(folder_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::permission_denied);
  EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("prices.json"));
}

}  // namespace
}  // namespace carrel::capability::assets
