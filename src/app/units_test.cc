#include "app/units.h"

#include <gtest/gtest.h>

namespace carrel::app {
namespace {

using namespace std::chrono_literals;

TEST(Units, RefuseSizesThatAreNotExactlyANumberAndAUnit) {
  for (const auto* text : {"", "64", "MiB", "64 MiB", "64mib", "64MB", "-1MiB", "+1MiB", "1.5MiB",
                           "0x10B", "064MiB", "64MiBs", " 64MiB", "1e3B"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Units, RefuseNumbersThatWouldOverflow) {
  EXPECT_EQ(parse_size("99999999999999999999999B"), std::nullopt);
  EXPECT_EQ(parse_size("18446744073709551615GiB"), std::nullopt);
  EXPECT_EQ(parse_duration("9223372036854775807h"), std::nullopt);
}

TEST(Units, ReadSizes) {
  EXPECT_EQ(parse_size("0B"), 0u);
  EXPECT_EQ(parse_size("64MiB"), 64u << 20);
  EXPECT_EQ(parse_size("4GiB"), 4ULL << 30);
}

TEST(Units, RefuseDurationsWithoutAKnownUnit) {
  for (const auto* text : {"", "50", "ms", "50 ms", "50MS", "1d", "1m30s", "0.5s", "-1s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Units, ReadDurations) {
  EXPECT_EQ(parse_duration("50ms"), Nanos(50ms));
  EXPECT_EQ(parse_duration("2s"), Nanos(2s));
  EXPECT_EQ(parse_duration("1m"), Nanos(1min));
}

TEST(Units, PrintWhatTheyRead) {
  for (const auto* text : {"0B", "1B", "1500B", "64KiB", "1GiB"}) {
    EXPECT_EQ(size_text(*parse_size(text)), text);
  }
  for (const auto* text : {"0us", "50ms", "1500ms", "1h"}) {
    EXPECT_EQ(duration_text(*parse_duration(text)), text);
  }
}

TEST(Units, NamesAreShortAndPlain) {
  for (const auto* text : {"", "-a", "_a", "A", "a b", "a/b", "ä", "a.b"})
    EXPECT_FALSE(is_name(text)) << text;
  EXPECT_FALSE(is_name(std::string(65, 'a')));
  EXPECT_TRUE(is_name(std::string(64, 'a')));
  EXPECT_TRUE(is_name("7-up_b"));
  for (const auto* text : {"", "1A", "A-B", "A=B"}) EXPECT_FALSE(is_variable(text)) << text;
  EXPECT_TRUE(is_variable("_A1b"));
}

}  // namespace
}  // namespace carrel::app
