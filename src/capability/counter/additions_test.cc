#include "capability/counter/additions.h"

#include <gtest/gtest.h>

namespace carrel::capability::counter {
namespace {

TEST(Additions, AreNumbersWithOrWithoutASign) {
  EXPECT_EQ(parse("+1"), (Addition{1, {}}));
  EXPECT_EQ(parse("-3\n"), (Addition{-3, {}}));
  EXPECT_EQ(parse("5\r\n"), (Addition{5, {}}));
  EXPECT_EQ(parse("-9223372036854775808"), (Addition{INT64_MIN, {}}));
}

TEST(Additions, MayHaveAFloor) {
  EXPECT_EQ(parse("-1 >=0\n"), (Addition{-1, 0}));
  EXPECT_EQ(parse("-1 >= -10"), (Addition{-1, -10}));
  EXPECT_EQ(parse("-1>=5"), (Addition{-1, 5}));
}

TEST(Additions, OfSeveralLinesAreSummedUnderTheHighestFloor) {
  EXPECT_EQ(parse("+1\n\n-3 >=2\n-1 >=1\n"), (Addition{-3, 2}));
}

TEST(Additions, ThatAreNoneAreRefused) {
  for (const auto* text :
       {"", "\n", "+", "-", "+-1", "++1", "1.5", "0x1", "one", "1 2", "-1 >=", "-1 >", ">=0",
        "+1\nx", "1 >=0 >=0", "9223372036854775808", "9223372036854775807\n1"}) {
    EXPECT_FALSE(parse(text)) << text;
  }
}

}  // namespace
}  // namespace carrel::capability::counter
