#include "acme/folder.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>

#include "base/files.h"

namespace carrel::acme {
namespace {

namespace fs = std::filesystem;

class AcmeFolder : public testing::Test {
 protected:
  AcmeFolder() { EXPECT_NE(::mkdtemp(path_.data()), nullptr); }
  ~AcmeFolder() override { fs::remove_all(path_); }

  // A certificate of the key for a host.
  std::string certificate(const Key& key, const std::string& host) const {
    std::ofstream(path_ + "/k") << key.pem();
    const std::string command = "openssl req -x509 -key " + path_ +
                                "/k -days 2 -subj /CN=x -addext " + "subjectAltName=DNS:" + host +
                                " -out " + path_ + "/c 2>/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return *read_file(path_ + "/c", 1 << 20);
  }

  std::string path_ = (fs::temp_directory_path() / "carrel-acme-XXXXXX").string();
};

TEST_F(AcmeFolder, KeepsTheAccountsKeyForThisUserOnly) {
  const auto folder = Folder::open(path_);
  ASSERT_TRUE(folder) << folder.error().message();
  const auto key = folder->account();
  ASSERT_TRUE(key) << key.error().message();
  EXPECT_EQ(Folder::open(path_)->account()->jwk(), key->jwk());
  struct stat status{};
  ASSERT_EQ(::stat((path_ + "/account.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  std::ofstream(path_ + "/account.key") << "damaged";
  EXPECT_FALSE(folder->account());
}

TEST_F(AcmeFolder, KeepsOnlyWhatIsForTheNameAndTheKey) {
  const Folder folder = *Folder::open(path_);
  const Key key = *Key::make(), other = *Key::make();
  const WallTime now = system_clock().wall();
  EXPECT_FALSE(folder.lifetime("a.example"));
  const std::string good = certificate(key, "a.example");
  EXPECT_FALSE(folder.keep("b.example", good, key, now));
  EXPECT_FALSE(folder.keep("a.example", good, other, now));
  EXPECT_FALSE(folder.keep("a.example", good, key, now + std::chrono::hours(72)));
  EXPECT_FALSE(folder.keep("a.example", "damaged", key, now));
  EXPECT_FALSE(folder.lifetime("a.example"));
  ASSERT_TRUE(folder.keep("a.example", good, key, now));
  const auto lifetime = folder.lifetime("a.example");
  ASSERT_TRUE(lifetime);
  EXPECT_EQ(lifetime->end - lifetime->begin, std::chrono::hours(48));
  EXPECT_FALSE(folder.keep("a.example", "damaged", key, now));
  EXPECT_TRUE(folder.lifetime("a.example"));
}

}  // namespace
}  // namespace carrel::acme
