#include "api/log_tail.h"

#include <gtest/gtest.h>

#include <thread>

namespace carrel::api {
namespace {

LogLine line(std::string text, std::string app = "shop", std::string tenant = "acme") {
  static WallTime time;
  time += std::chrono::seconds(1);
  return {.time = time,
          .tenant = TenantName(std::move(tenant)),
          .app = AppName(std::move(app)),
          .text = std::move(text)};
}

std::vector<std::string> texts(const std::vector<LogLineRef>& lines) {
  std::vector<std::string> all;
  all.reserve(lines.size());
  for (const LogLineRef& each : lines) all.push_back(each->text);
  return all;
}

using Texts = std::vector<std::string>;
const TenantName kAcme("acme"), kOther("other");

TEST(LogTail, KeepsTheNewestLinesOfEachTenantsApps) {
  LogTail tail;
  tail.add(line("1"));
  tail.add(line("2", "blog"));
  tail.add(line("3"));
  tail.add(line("4", "shop", "other"));
  EXPECT_EQ(texts(tail.last(kAcme, "", 10)), (Texts{"1", "2", "3"}));
  EXPECT_EQ(texts(tail.last(kAcme, "shop", 10)), (Texts{"1", "3"}));
  EXPECT_EQ(texts(tail.last(kAcme, "", 2)), (Texts{"2", "3"}));
  EXPECT_EQ(texts(tail.last(kOther, "", 10)), Texts{"4"});
  EXPECT_TRUE(tail.last(kAcme, "sho", 10).empty());
  EXPECT_TRUE(tail.last(TenantName("acme/child"), "", 10).empty());
}

TEST(LogTail, IsBoundedForAnAppForATenantAndForAll) {
  LogTail tail;
  for (int i = 0; i < 1000; ++i) tail.add(line(std::to_string(i), "loud"));
  const auto kept = tail.last(kAcme, "loud", 1000);
  EXPECT_EQ(kept.size(), LogTail::kMostLines);
  EXPECT_EQ(kept.back()->text, "999");
  // Much from many: the app that has been silent longest goes first.
  const std::string long_text(LogTail::kMostText + 1, 'x');
  for (int app = 0; app < 100; ++app) {
    for (int i = 0; i < 50; ++i) tail.add(line(long_text, "app-" + std::to_string(app)));
  }
  EXPECT_TRUE(tail.last(kAcme, "loud", 1).empty());
  std::size_t bytes = 0;
  for (const auto& each : tail.last(kAcme, "", 100'000)) bytes += each->text.size();
  EXPECT_LE(bytes, LogTail::kMostOfTenant);
  EXPECT_GE(bytes, LogTail::kMostOfTenant / 2);
  EXPECT_EQ(tail.last(kAcme, "app-99", 1).at(0)->text.size(), LogTail::kMostText);
  // A tenant is not many because it has many below it.
  tail.add(line("quiet", "shop", "other"));
  for (int app = 0; app < 5000; ++app) {
    tail.add(line(long_text, "shop", "acme/child-" + std::to_string(app)));
  }
  EXPECT_EQ(texts(tail.last(kOther, "", 10)), Texts{"quiet"});
  for (int app = 0; app < 5000; ++app) {
    tail.add(line(long_text, "shop", "child-" + std::to_string(app)));
  }
  EXPECT_TRUE(tail.last(kOther, "", 10).empty());
  EXPECT_EQ(tail.last(TenantName("child-4999"), "", 10).size(), 1U);
}

async::Task<void> news(LogTail::Follower* follower) { co_await follower->news(); }

TEST(LogTail, AFollowerIsGivenTheNewestAndThenWhatComesFromAnyThread) {
  async::Shard shard;
  LogTail tail;
  tail.add(line("before"));
  auto follower = tail.follow(shard, kAcme, "shop", 10);
  ASSERT_TRUE(follower);
  shard.run_until_done(news(&*follower));
  EXPECT_EQ(texts(follower->take().lines), Texts{"before"});
  std::thread other([&] {
    tail.add(line("not of it", "blog"));
    tail.add(line("after"));
  });
  shard.run_until_done(news(&*follower));
  other.join();
  EXPECT_EQ(texts(follower->take().lines), Texts{"after"});
}

TEST(LogTail, WhoDoesNotKeepUpLearnsOfTheGap) {
  async::Shard shard;
  LogTail tail;
  auto follower = tail.follow(shard, kAcme, "", 10);
  for (std::size_t i = 0; i < LogTail::kMostWaiting + 10; ++i) tail.add(line(std::to_string(i)));
  const LogNews told = follower->take();
  EXPECT_TRUE(told.gap);
  EXPECT_EQ(told.lines.size(), 10U);
  EXPECT_FALSE(follower->take().gap);
}

TEST(LogTail, TheNumberOfFollowersIsBoundedAndWhoLeftIsForgotten) {
  async::Shard shard;
  LogTail tail;
  {
    std::vector<LogTail::Follower> all;
    all.reserve(LogTail::kMostFollowers);
    for (std::size_t i = 0; i < LogTail::kMostFollowersOfTenant; ++i) {
      all.push_back(tail.follow(shard, kAcme, "", 1).value());
    }
    EXPECT_EQ(tail.follow(shard, TenantName("acme/below"), "", 1).error().code(),
              Code::too_many_requests);
    while (all.size() < LogTail::kMostFollowers) {
      const TenantName another("t" + std::to_string(all.size()));
      all.push_back(tail.follow(shard, another, "", 1).value());
    }
    EXPECT_EQ(tail.follow(shard, kOther, "", 1).error().code(), Code::too_many_requests);
  }
  EXPECT_TRUE(tail.follow(shard, kAcme, "", 1));
}

}  // namespace
}  // namespace carrel::api
