#include "app/deployment/records.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace carrel::deployment {
namespace {

AppRecord live(std::uint64_t version) {
  AppRecord app;
  EXPECT_TRUE(activate(app, version, 100));
  return app;
}

TEST(AppRecord, ComesBackAsItWas) {
  AppRecord app = live(1);
  ASSERT_TRUE(activate(app, 2, 100));
  ASSERT_TRUE(activate(app, 3, 25));
  preview(app, 4);
  app.revision = 7;
  app.removed = WallTime(std::chrono::milliseconds(1'800'000'000'123));
  const auto back = decode_app(encode(app));
  ASSERT_TRUE(back);
  EXPECT_EQ(encode(*back), encode(app));
  EXPECT_EQ(back->live, app.live);
  EXPECT_EQ(back->removed, app.removed);
  for (const auto* damaged : {"", "{", "[]", R"({"revision":1})"})
    EXPECT_FALSE(decode_app(damaged));
}

TEST(AppRecord, GoesBackToWhatWasLiveBefore) {
  AppRecord app = live(1);
  EXPECT_EQ(roll_back(app).error().code(), Code::not_found);
  ASSERT_TRUE(activate(app, 2, 100));
  ASSERT_TRUE(activate(app, 3, 100));
  ASSERT_TRUE(roll_back(app));
  EXPECT_EQ(app.live.front().version, 2U);
  ASSERT_TRUE(roll_back(app));
  EXPECT_EQ(app.live.front().version, 1U);
  EXPECT_FALSE(roll_back(app));
  ASSERT_TRUE(activate(app, 1, 100));  // what is live already
  EXPECT_TRUE(app.before.empty());
}

TEST(AppRecord, SharesRequestsBetweenTwoVersions) {
  AppRecord app;
  EXPECT_FALSE(activate(app, 1, 10));
  ASSERT_TRUE(activate(app, 1, 100));
  ASSERT_TRUE(activate(app, 2, 10));
  EXPECT_EQ(app.live, (std::vector<Share>{{1, 90}, {2, 10}}));
  ASSERT_TRUE(activate(app, 2, 50));
  EXPECT_EQ(app.live, (std::vector<Share>{{1, 50}, {2, 50}}));
  EXPECT_EQ(activate(app, 3, 10).error().code(), Code::invalid_argument);
  EXPECT_FALSE(activate(app, 2, 0));
  EXPECT_FALSE(activate(app, 2, 101));
  AppRecord forward = app;
  ASSERT_TRUE(activate(forward, 2, 100));
  EXPECT_EQ(forward.live, (std::vector<Share>{{2, 100}}));
  EXPECT_EQ(forward.before, std::vector<std::uint64_t>{1});
  ASSERT_TRUE(roll_back(app));
  EXPECT_EQ(app.live, (std::vector<Share>{{1, 100}}));
}

TEST(AppRecord, KeepsTheNewestPreviews) {
  AppRecord app = live(1);
  preview(app, 1);
  EXPECT_TRUE(app.previews.empty());
  for (std::uint64_t version = 2; version < 10; ++version) preview(app, version);
  EXPECT_EQ(app.previews, (std::vector<std::uint64_t>{5, 6, 7, 8, 9}));
  ASSERT_TRUE(end_preview(app, 7));
  EXPECT_FALSE(end_preview(app, 7));
  ASSERT_TRUE(activate(app, 9, 100));
  EXPECT_EQ(app.previews, (std::vector<std::uint64_t>{5, 6, 8}));
}

TEST(Version, ComesBackAsItWas) {
  const nlohmann::json files = nlohmann::json::array(
      {nlohmann::json({{"path", "carrel.toml"}, {"size", 3U}, {"sha256", std::string(64, 'a')}})});
  const Version version{.number = 300,
                        .created = WallTime(std::chrono::milliseconds(1'800'000'000'123)),
                        .by = "operator",
                        .message = "the \xff new one",
                        .sources = {{"price", "oci://ghcr.io/acme/price@sha256:00"}},
                        .bundle = *read_bundle(files)};
  const auto back = decode_version(name_of_version(300), encode(version));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->sources, version.sources);
  EXPECT_EQ(back->number, 300U);
  EXPECT_EQ(back->created, version.created);
  EXPECT_EQ(back->bundle.files, version.bundle.files);
  EXPECT_LT(name_of_version(255), name_of_version(256));
  EXPECT_FALSE(version_named("x"));
  EXPECT_FALSE(decode_version(name_of_version(1), "?"));
}

TEST(AppRecord, AnOldVersionThatIsTriedAgainIsNotGoneBackTo) {
  AppRecord app = live(7);
  app.next = 8;
  ASSERT_TRUE(activate(app, 5, 10));
  EXPECT_EQ(app.live, (std::vector<Share>{{7, 90}, {5, 10}}));
  AppRecord onward = app;
  ASSERT_TRUE(roll_back(app));
  EXPECT_EQ(app.live, (std::vector<Share>{{7, 100}}));
  ASSERT_TRUE(activate(onward, 6, 100));
  EXPECT_EQ(onward.before, (std::vector<std::uint64_t>{7}));
}

}  // namespace
}  // namespace carrel::deployment
