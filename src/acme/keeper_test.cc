#include "acme/keeper.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>

#include "acme/test_server.h"

namespace carrel::acme {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class Heard final : public Report {
 public:
  void issued(const std::string& host, WallTime) override { all.push_back("issued " + host); }
  void failed(const std::string& host, const Error&, std::chrono::seconds) override {
    all.push_back("failed " + host);
  }
  void given_up(const std::string& host) override { all.push_back("given up " + host); }
  std::vector<std::string> all;
};

class AKeeper : public testing::Test, protected FakeWorld {
 protected:
  AKeeper() { EXPECT_NE(::mkdtemp(path.data()), nullptr); }
  ~AKeeper() override { fs::remove_all(path); }

  void until_heard(std::size_t count) {
    while (heard.all.size() < count)
      shard.run_until_done(shard.sleep_for(std::chrono::milliseconds(5)));
  }

  std::string path = (fs::temp_directory_path() / "carrel-keeper-XXXXXX").string();
  Heard heard;
  std::vector<std::string> wanted = {"a.example", "b.example"};
};

TEST_F(AKeeper, SaysWhatFailsAndWhatIsNotWantedAnyMore) {
  const auto folder = Folder::open(path);
  ASSERT_TRUE(folder) << folder.error().message();
  Keeper keeper(shard, conversation, *folder, [this] { return wanted; }, heard, system_clock());
  auto running = keeper.run();
  running.start();
  until_heard(2);
  EXPECT_THAT(heard.all, ElementsAre("failed a.example", "failed b.example"));
  wanted = {"b.example"};
  until_heard(3);
  EXPECT_EQ(heard.all.back(), "given up a.example");
  wanted.push_back("a.example");
  until_heard(4);
  EXPECT_EQ(heard.all.back(), "failed a.example");  // at once: it is another one's by now
}

}  // namespace
}  // namespace carrel::acme
