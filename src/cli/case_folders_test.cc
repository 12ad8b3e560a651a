#include "cli/case_folders.h"

#include <gtest/gtest.h>

#include <fstream>

namespace carrel::cli {
namespace {
namespace fs = std::filesystem;

class CaseFolders : public testing::Test {
 protected:
  CaseFolders() {
    std::string pattern = (fs::temp_directory_path() / "carrel-cases-XXXXXX").string();
    root = ::mkdtemp(pattern.data());
  }
  ~CaseFolders() override { fs::remove_all(root); }

  void file(const fs::path& path) {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << "";
  }

  fs::path root;
};

TEST_F(CaseFolders, AFolderWithoutCasesIsAnError) {
  EXPECT_EQ(find_cases(root).error().code(), Code::not_found);
  EXPECT_EQ(find_cases(root / "missing").error().code(), Code::not_found);
}

TEST_F(CaseFolders, AreFoundInAppsAndOutsideInOrder) {
  file("b/app/carrel.toml");
  file("b/app/tests/two/case.toml");
  file("b/app/tests/one/case.toml");
  file("b/app/elsewhere/three/case.toml");
  file("a/alone/case.toml");
  file(".hidden/case.toml");
  auto found = find_cases(root);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 3U);
  EXPECT_EQ((*found)[0].folder, root / "a/alone");
  EXPECT_FALSE((*found)[0].app);
  EXPECT_EQ((*found)[1].folder, root / "b/app/tests/one");
  EXPECT_EQ((*found)[1].app, root / "b/app");
  EXPECT_EQ((*found)[2].folder, root / "b/app/tests/two");
}

TEST_F(CaseFolders, ACaseAloneFindsItsApp) {
  file("app/carrel.toml");
  file("app/tests/one/case.toml");
  auto found = find_cases(root / "app/tests/one");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().app, root / "app");
}

TEST_F(CaseFolders, AreNotLookedForBehindLinks) {
  file("app/tests/one/case.toml");
  file("app/carrel.toml");
  fs::create_directory_symlink(root, root / "app/tests/again");
  EXPECT_EQ(find_cases(root / "app")->size(), 1U);
}

}  // namespace
}  // namespace carrel::cli
