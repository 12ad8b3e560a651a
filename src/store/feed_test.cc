#include "store/feed.h"

#include <gtest/gtest.h>

#include "async/pause.h"
#include "store/store_impl.h"

namespace carrel::store {
namespace {

class FeedTest : public testing::Test {
 protected:
  ~FeedTest() override { mailbox->close(); }

  Result<Watch> watch(std::string_view prefix = "", std::string_view tenant = "shop") {
    return feed.watch(TenantName(std::string(tenant)), Kind::value, "carts", prefix, mailbox);
  }
  void commit(std::uint64_t version, std::string_view name, std::string_view tenant = "shop",
              Kind kind = Kind::value, std::optional<std::string> record = "r") {
    Changes changes;
    changes.changes.push_back(
        {.key = encode({tenant, kind, "carts", name}), .kind = kind, .record = std::move(record)});
    feed.tell(Version{version}, changes);
  }
  static std::vector<std::string> names(const News& news) {
    std::vector<std::string> names;
    names.reserve(news.told.size());
    for (const Told& told : news.told) names.push_back(told.name);
    return names;
  }
  static async::Task<void> wait(Watch* watch) { co_await watch->news(); }

  async::Shard shard;
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>(shard);
  Feed feed;
};

using Names = std::vector<std::string>;

TEST_F(FeedTest, TellsInOrderOfCommitsWhatWasPutAndWhatWasErased) {
  auto mine = watch();
  ASSERT_TRUE(mine);
  commit(7, "b");
  commit(8, "a");
  commit(9, "b", "shop", Kind::value, std::nullopt);
  const News news = mine->take();
  EXPECT_EQ(names(news), (Names{"b", "a", "b"}));
  EXPECT_EQ(news.told[2].version, Version{9});
  EXPECT_TRUE(news.told[2].erased);
  EXPECT_FALSE(news.told[1].erased);
  EXPECT_FALSE(news.gap);
  EXPECT_TRUE(mine->take().told.empty());
}

TEST_F(FeedTest, TellsOnlyOfTheTenantTheStoreTheKindAndThePrefix) {
  auto mine = watch("a");
  ASSERT_TRUE(mine);
  commit(1, "ab", "other");
  commit(2, "ab", "shop", Kind::counter);
  commit(3, "b");
  commit(4, "ab");
  EXPECT_EQ(names(mine->take()), (Names{"ab"}));
}

TEST_F(FeedTest, ASlowWatcherLosesWhatWaitedAndLearnsOfTheGap) {
  auto slow = watch(), quick = watch();
  ASSERT_TRUE(slow && quick);
  std::size_t seen = 0;
  for (std::uint64_t i = 0; i <= Feed::kMostWaiting; ++i) {
    commit(i, "name");
    seen += quick->take().told.size();
  }
  const News news = slow->take();
  EXPECT_TRUE(news.gap);
  EXPECT_EQ(news.told.size(), 1U);
  EXPECT_EQ(seen, Feed::kMostWaiting + 1);
  EXPECT_FALSE(slow->take().gap);
}

TEST_F(FeedTest, WakesWhoWaits) {
  auto mine = watch();
  ASSERT_TRUE(mine);
  commit(1, "a");
  shard.run_until_done(wait(&*mine));
  EXPECT_EQ(names(mine->take()), (Names{"a"}));
  feed.tell_gap();
  shard.run_until_done(wait(&*mine));
  EXPECT_TRUE(mine->take().gap);
}

TEST_F(FeedTest, TakesABoundedNumberOfWatchersAndForgetsThoseThatHaveEnded) {
  std::vector<Watch> watches;
  while (auto one = watch()) watches.push_back(std::move(*one));
  EXPECT_EQ(watches.size(), Feed::kMostOfTenant);
  EXPECT_EQ(watch("", "shop/below").error().code(), Code::too_many_requests);
  for (int i = 0; auto one = watch("", "other-" + std::to_string(i)); ++i)
    watches.push_back(std::move(*one));
  EXPECT_EQ(watches.size(), Feed::kMostWatches);
  EXPECT_EQ(watch("", "another").error().code(), Code::too_many_requests);
  watches.pop_back();
  EXPECT_TRUE(watch("", "another"));
  watches.clear();
  EXPECT_TRUE(feed.watched());
  commit(1, "a");
  EXPECT_FALSE(feed.watched());
}

}  // namespace
}  // namespace carrel::store
