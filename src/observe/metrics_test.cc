#include "observe/metrics.h"

#include <gtest/gtest.h>

#include "observe/exposition.h"
#include "observe/outcome_counts.h"

namespace carrel::observe {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(Durations, ABoundBelongsToItsBucket) {
  Durations durations;
  durations.add(microseconds(10));
  durations.add(microseconds(10) + Nanos(1));
  durations.add(seconds(100));
  const DurationCounts counts = durations.counts();
  EXPECT_EQ(counts.buckets[0], 1U);
  EXPECT_EQ(counts.buckets[1], 1U);
  EXPECT_EQ(counts.buckets.back(), 1U);
  EXPECT_EQ(counts.count(), 3U);
  EXPECT_EQ(counts.nanos, 100'000'020'001U);
}

TEST(Durations, AClockThatWentBackAddsNothing) {
  Durations durations;
  durations.add(seconds(-1));
  EXPECT_EQ(durations.counts().nanos, 0U);
  EXPECT_EQ(durations.counts().count(), 1U);
}

TEST(Durations, OfSeveralShardsAddUp) {
  Durations one, two;
  one.add(microseconds(5));
  two.add(microseconds(5));
  two.add(seconds(1));
  DurationCounts sum = one.counts();
  sum += two.counts();
  EXPECT_EQ(sum.buckets[0], 2U);
  EXPECT_EQ(sum.count(), 3U);
  EXPECT_EQ(sum.nanos, 1'000'010'000U);
}

TEST(OutcomeCounts, EachCodeOfTheCatalogueIsCountedByItself) {
  OutcomeCounts counts;
  counts.add_success();
  counts.add(Code::internal);
  counts.add(kCodes.back());
  counts.add(std::optional<Error>());
  EXPECT_EQ(counts.well(), 2U);
  EXPECT_EQ(counts.failed(Code::internal), 1U);
  EXPECT_EQ(counts.failed(kCodes.size() - 1), 1U);
  EXPECT_EQ(counts.failed(Code::conflict), 0U);
}

TEST(Exposition, WritesFamiliesAndSamples) {
  Exposition text;
  text.family("a_total", Exposition::Kind::counter, "What is counted.");
  text.sample({{"result", "ok"}}, std::uint64_t{7});
  text.sample({{"result", "failed"}, {"app", "x"}}, std::uint64_t{0});
  text.single("b", Exposition::Kind::gauge, "Half of it.", 0.5);
  EXPECT_EQ(std::move(text).finish(),
            "# HELP a_total What is counted.\n"
            "# TYPE a_total counter\n"
            "a_total{result=\"ok\"} 7\n"
            "a_total{result=\"failed\",app=\"x\"} 0\n"
            "# HELP b Half of it.\n"
            "# TYPE b gauge\n"
            "b 0.5\n");
}

TEST(Exposition, HistogramsGrowFromBucketToBucket) {
  Durations durations;
  durations.add(microseconds(20));
  durations.add(seconds(100));
  Exposition text;
  text.single("t_seconds", Exposition::Kind::histogram, "Time.", durations.counts());
  const std::string written = std::move(text).finish();
  EXPECT_NE(written.find("t_seconds_bucket{le=\"1e-05\"} 0\n"), std::string::npos);
  EXPECT_NE(written.find("t_seconds_bucket{le=\"10\"} 1\n"), std::string::npos);
  EXPECT_NE(written.find("t_seconds_bucket{le=\"+Inf\"} 2\n"), std::string::npos);
  EXPECT_NE(written.find("t_seconds_sum 100.00002\n"), std::string::npos);
  EXPECT_NE(written.find("t_seconds_count 2\n"), std::string::npos);
}

TEST(Exposition, NoLabelEndsItsLineOrItsQuotes) {
  Exposition text;
  text.family("a", Exposition::Kind::gauge, "A.");
  text.sample({{"app", "x\"} 1\nb{y=\"\\"}}, std::uint64_t{1});
  text.sample({{"app", "\xff"}}, std::uint64_t{2});
  EXPECT_EQ(std::move(text).finish(),
            "# HELP a A.\n# TYPE a gauge\n"
            "a{app=\"x\\\"} 1\\nb{y=\\\"\\\\\"} 1\n"
            "a{app=\"(not text)\"} 2\n");
}

}  // namespace
}  // namespace carrel::observe
