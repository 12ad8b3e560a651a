#include "delivery/dead_count.h"

#include <gtest/gtest.h>

namespace carrel::delivery {
namespace {

TEST(DeadCount, CountsWhatIsLeftOfEachLane) {
  DeadCount dead;
  EXPECT_EQ(dead.of("a", 0), 0U);
  dead.remove("a");
  dead.add("a", 10);
  dead.add("a", 20);
  dead.add("b", 10);
  EXPECT_EQ(dead.of("a", 9), 2U);
  EXPECT_EQ(dead.of("a", 10), 1U);
  EXPECT_EQ(dead.of("b", 9), 1U);
  dead.remove("a");
  EXPECT_EQ(dead.of("a", 10), 0U);
  EXPECT_EQ(dead.of("b", 30), 0U);
}

}  // namespace
}  // namespace carrel::delivery
