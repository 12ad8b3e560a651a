#include "acme/schedule.h"

#include <gtest/gtest.h>

namespace carrel::acme {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(AcmeSchedule, RenewsWhenAThirdIsLeftOrALittleLater) {
  const WallTime begin{};
  const Lifetime lifetime{.begin = begin, .end = begin + hours(90 * 24)};
  EXPECT_EQ(renewal_of(lifetime, 0), begin + hours(60 * 24));
  EXPECT_EQ(renewal_of(lifetime, 1), begin + hours(63 * 24));
}

TEST(AcmeSchedule, WaitsLongerEachTimeUpToADay) {
  EXPECT_EQ(pause_after(1, seconds(0), 0.5), seconds(300));
  EXPECT_EQ(pause_after(2, seconds(0), 0.5), seconds(600));
  EXPECT_EQ(pause_after(1, seconds(0), 0), seconds(240));
  EXPECT_EQ(pause_after(1, seconds(0), 1), seconds(360));
  EXPECT_EQ(pause_after(1000, seconds(0), 0.5), hours(24));
  EXPECT_EQ(pause_after(1, hours(2), 0.5), hours(2));
}

}  // namespace
}  // namespace carrel::acme
