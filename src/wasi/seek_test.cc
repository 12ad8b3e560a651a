#include "wasi/seek.h"

#include <gtest/gtest.h>

namespace carrel::wasi {
namespace {

using Whence = OpenFile::Whence;

constexpr std::int64_t kLast = INT64_MAX;

TEST(Seek, StartsFromTheBeginningThePositionOrTheEnd) {
  EXPECT_EQ(*seek_to({.position = 10, .size = 20}, 3, Whence::set), 3U);
  EXPECT_EQ(*seek_to({.position = 10, .size = 20}, 3, Whence::current), 13U);
  EXPECT_EQ(*seek_to({.position = 10, .size = 20}, -10, Whence::current), 0U);
  EXPECT_EQ(*seek_to({.position = 10, .size = 20}, -3, Whence::end), 17U);
}

TEST(Seek, MayGoBehindTheEndAsFarAsAnOffsetReaches) {
  EXPECT_EQ(*seek_to({.size = 20}, 3, Whence::end), 23U);
  EXPECT_EQ(*seek_to({}, kLast, Whence::set), static_cast<std::uint64_t>(kLast));
  EXPECT_EQ(*seek_to({.position = 1}, kLast - 1, Whence::current),
            static_cast<std::uint64_t>(kLast));
}

TEST(Seek, BeforeTheBeginningIsInvalid) {
  EXPECT_EQ(seek_to({.position = 10}, -1, Whence::set).error(), Errno::inval);
  EXPECT_EQ(seek_to({.position = 10}, -11, Whence::current).error(), Errno::inval);
  EXPECT_EQ(seek_to({.position = 10, .size = 20}, -21, Whence::end).error(), Errno::inval);
  EXPECT_EQ(seek_to({}, INT64_MIN, Whence::end).error(), Errno::inval);
}

TEST(Seek, BeyondTheLastOffsetOverflows) {
  EXPECT_EQ(seek_to({.position = 1}, kLast, Whence::current).error(), Errno::overflow);
  EXPECT_EQ(seek_to({.size = 2}, kLast - 1, Whence::end).error(), Errno::overflow);
  EXPECT_EQ(seek_to({.size = static_cast<std::uint64_t>(kLast)}, 1, Whence::end).error(),
            Errno::overflow);
  EXPECT_EQ(seek_to({.size = UINT64_MAX}, -1, Whence::end).error(), Errno::overflow);
}

}  // namespace
}  // namespace carrel::wasi
