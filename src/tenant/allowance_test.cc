#include "tenant/allowance.h"

#include <gtest/gtest.h>

namespace carrel::tenant {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant kStart = Instant(std::chrono::hours(1));

TEST(ARate, LetsASecondsWorthComeAtOnceAndThenOneAfterTheOther) {
  Rate rate;
  rate.limit(10);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(rate.wait(kStart), Nanos(0)) << i;
    rate.take(1, kStart);
  }
  EXPECT_EQ(rate.wait(kStart), milliseconds(100));
  EXPECT_EQ(rate.wait(kStart + milliseconds(100)), Nanos(0));
  rate.take(1, kStart + milliseconds(100));
  EXPECT_EQ(rate.wait(kStart + milliseconds(100)), milliseconds(100));
}

TEST(ARate, WaitsForWhatWasUsedTooMuch) {
  Rate rate;
  rate.limit(100);
  rate.take(500, kStart);
  EXPECT_GT(rate.wait(kStart + seconds(3)), Nanos(0));
  EXPECT_EQ(rate.wait(kStart + seconds(5)), Nanos(0));
}

TEST(ARate, OfNothingRefusesForEverAndWithoutALimitNever) {
  Rate rate;
  EXPECT_EQ(rate.wait(kStart), Nanos(0));
  rate.take(UINT64_MAX, kStart);
  EXPECT_EQ(rate.wait(kStart), Nanos(0));
  rate.limit(0);
  EXPECT_EQ(rate.wait(kStart), Nanos::max());
}

TEST(ARate, SurvivesAnyAmount) {
  Rate rate;
  rate.limit(1);
  for (int i = 0; i < 3; ++i) rate.take(UINT64_MAX, kStart);
  EXPECT_LE(rate.wait(kStart), std::chrono::hours(1));
}

TEST(AnAllowance, CountsWhatIsBelowIt) {
  Allowances all;
  all.set("acme", {.concurrent_turns = 2});
  Allowance& a = all.of("acme/a");
  Allowance& b = all.of("acme/b");
  Allowance& beside = all.of("acme-2");
  begin_turn(&a, 0, kStart);
  begin_turn(&b, 0, kStart);
  const auto shortage = stands_against_turn(&a, 0, kStart);
  ASSERT_TRUE(shortage);
  EXPECT_EQ(text_of(*shortage),
            "the tenant acme, with all below it, is at its quota concurrent_turns");
  EXPECT_FALSE(stands_against_turn(&beside, 0, kStart));
  end_turn(&b, 0);
  EXPECT_FALSE(stands_against_turn(&a, 0, kStart));
}

TEST(AnAllowance, RefusesAtOnceWhatNeverFits) {
  Allowances all;
  all.set("acme", {.memory_bytes = 100});
  EXPECT_EQ(stands_against_turn(&all.of("acme"), 101, kStart)->wait, Nanos::max());
  begin_turn(&all.of("acme"), 60, kStart);
  EXPECT_EQ(stands_against_turn(&all.of("acme"), 60, kStart)->wait, Nanos(0));
  EXPECT_FALSE(stands_against_turn(&all.of("acme"), 40, kStart));
}

TEST(AnAllowance, IsChangedWhileItIsUsed) {
  Allowances all;
  Allowance& acme = all.of("acme");
  begin_turn(&acme, 0, kStart);
  all.set("acme", {.concurrent_turns = 1});
  EXPECT_TRUE(stands_against_turn(&acme, 0, kStart));
  all.set("acme", {});
  EXPECT_FALSE(stands_against_turn(&acme, 0, kStart));
}

TEST(AnAllowance, DropsWhatIsLoggedTooMuch) {
  Allowances all;
  all.set("acme", {.log_bytes_per_second = 100});
  EXPECT_TRUE(may_log(&all.of("acme/a"), 250, kStart));
  EXPECT_FALSE(may_log(&all.of("acme/b"), 1, kStart));
  EXPECT_TRUE(may_log(&all.of("acme/b"), 1, kStart + seconds(2)));
}

TEST(AnAllowance, IsNotNeeded) {
  EXPECT_FALSE(stands_against_turn(nullptr, 1, kStart));
  begin_turn(nullptr, 1, kStart);
  end_turn(nullptr, 1);
  charge_cpu(nullptr, seconds(1));
  EXPECT_FALSE(stands_against_call(nullptr, kStart));
  EXPECT_TRUE(may_log(nullptr, 1, kStart));
}

}  // namespace
}  // namespace carrel::tenant
