#include "delivery/retry.h"

#include <gtest/gtest.h>

namespace carrel::delivery {
namespace {

using namespace std::chrono_literals;

TEST(Retry, WaitsAtLeastWhatItSaysAndAQuarterMoreAtMost) {
  const Retry retry{.waits = {4s, 8s}};
  EXPECT_EQ(retry.most(), 3U);
  EXPECT_EQ(wait_after(retry, 1, 0), 4s);
  EXPECT_EQ(wait_after(retry, 2, 0), 8s);
  EXPECT_EQ(wait_after(retry, 1, 1), 5s);
  EXPECT_EQ(wait_after(retry, 2, 0.5), 9s);
}

TEST(Retry, UsuallyGoesOnForThreeDays) {
  Nanos total{};
  for (const Nanos wait : usual_retry().waits) total += wait;
  EXPECT_GT(total, 75h);
  EXPECT_LT(total, 76h);
  EXPECT_EQ(usual_retry().most(), 10U);
}

}  // namespace
}  // namespace carrel::delivery
