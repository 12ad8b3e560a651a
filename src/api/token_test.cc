#include "api/token.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace carrel::api {
namespace {

class TokenTest : public ::testing::Test {
 protected:
  TokenTest() {
    folder_ = ::testing::TempDir() + "carrel-token-XXXXXX";
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    file_ = folder_ + "/token";
  }
  ~TokenTest() override { std::filesystem::remove_all(folder_); }

  void put(std::string_view text, mode_t mode) const {
    std::ofstream(file_) << text;
    ::chmod(file_.c_str(), mode);
  }
  std::string text() const {
    std::string line;
    std::ifstream file(file_);
    std::getline(file, line);
    return line;
  }

  std::string folder_, file_;
};

TEST_F(TokenTest, RefusesAFileThatOthersMayRead) {
  put(std::string(40, 'a'), 0640);
  auto token = LocalToken::load_or_make(file_);
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code(), Code::invalid_config);
  EXPECT_TRUE(token.error().help().contains("chmod 600"));
}

TEST_F(TokenTest, RefusesAnEmptyFileAndATokenTooShortToBeSecret) {
  put("", 0600);
  EXPECT_FALSE(LocalToken::load_or_make(file_));
  put("secret\n", 0600);
  EXPECT_FALSE(LocalToken::load_or_make(file_));
}

TEST_F(TokenTest, RefusesALinkAndAFolder) {
  std::filesystem::create_symlink(folder_ + "/elsewhere", file_);
  EXPECT_FALSE(LocalToken::load_or_make(file_));
  std::filesystem::remove(file_);
  std::filesystem::create_directory(file_);
  EXPECT_FALSE(LocalToken::load_or_make(file_));
}

TEST_F(TokenTest, RefusesAFolderThatIsNotThere) {
  EXPECT_EQ(LocalToken::load_or_make(folder_ + "/missing/token").error().code(), Code::io);
}

TEST_F(TokenTest, MakesATokenOnceForItsOwnerOnly) {
  auto made = LocalToken::load_or_make(file_);
  ASSERT_TRUE(made) << made.error().describe();
  struct stat status{};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  const std::string token = text();
  EXPECT_TRUE(made->matches(token));
  EXPECT_FALSE(made->matches(token + "0"));
  EXPECT_FALSE(made->matches(""));
  auto again = LocalToken::load_or_make(file_);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->matches(token));
}

}  // namespace
}  // namespace carrel::api
