#include "server/folder_watch.h"

#include <gtest/gtest.h>

#include <fstream>

namespace carrel::server {
namespace {

namespace fs = std::filesystem;

class FolderWatchTest : public ::testing::Test {
 protected:
  FolderWatchTest() {
    std::string name = ::testing::TempDir() + "carrel-watch-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    watch_ = FolderWatch::make().value();
  }
  ~FolderWatchTest() override { fs::remove_all(folder_); }

  void put(const std::string& name) { std::ofstream(folder_ / name) << "x"; }

  fs::path folder_;
  std::unique_ptr<FolderWatch> watch_;
};

TEST_F(FolderWatchTest, SeesAWriteARenameAndARemovalAnywhereBelow) {
  fs::create_directories(folder_ / "assets/deep");
  watch_->add({{folder_}});
  EXPECT_FALSE(watch_->take_changes());
  put("assets/deep/file");
  EXPECT_TRUE(watch_->take_changes());
  fs::rename(folder_ / "assets/deep/file", folder_ / "assets/deep/other");
  EXPECT_TRUE(watch_->take_changes());
  fs::remove(folder_ / "assets/deep/other");
  EXPECT_TRUE(watch_->take_changes());
  EXPECT_FALSE(watch_->take_changes());
}

TEST_F(FolderWatchTest, LeavesOutWhatToolsFillUnlessItIsNamed) {
  fs::create_directories(folder_ / "target/release");
  fs::create_directories(folder_ / ".git");
  watch_->add({{folder_}});
  put("target/release/x.wasm");
  put(".git/index");
  put(".carrel.toml.swp");
  put("carrel.toml~");
  EXPECT_FALSE(watch_->take_changes());
  watch_->add({{folder_ / "target/release", Depth::folder_only}});
  put("target/release/x.wasm");
  EXPECT_TRUE(watch_->take_changes());
}

TEST_F(FolderWatchTest, FollowsFoldersMadeSinceOnceTheyAreAdded) {
  watch_->add({{folder_}});
  fs::create_directory(folder_ / "build");
  EXPECT_TRUE(watch_->take_changes());
  watch_->add({{folder_}});
  put("build/x.wasm");
  EXPECT_TRUE(watch_->take_changes());
}

TEST_F(FolderWatchTest, SkipsAFolderThatIsNotThere) {
  watch_->add({{folder_ / "missing"}, {folder_}});
  put("file");
  EXPECT_TRUE(watch_->take_changes());
}

}  // namespace
}  // namespace carrel::server
