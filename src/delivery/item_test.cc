#include "delivery/item.h"

#include <gtest/gtest.h>

namespace carrel::delivery {
namespace {

TEST(Item, IsReadAsItWasWritten) {
  const Item item{.name = {"hook:shop:a", "1"},
                  .body = std::string("\0\xff", 2),
                  .made = 1,
                  .due = UINT64_MAX,
                  .marked = 3,
                  .attempts = 4,
                  .cause = "\xc3("};
  const auto read = decode(item.name, encode(item));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->body, item.body);
  EXPECT_EQ(read->made, 1U);
  EXPECT_EQ(read->due, UINT64_MAX);
  EXPECT_EQ(read->marked, 3U);
  EXPECT_EQ(read->attempts, 4U);
  EXPECT_EQ(read->cause, item.cause);
}

TEST(Item, KeepsTheBeginningOfALongCause) {
  const auto read = decode({}, encode(Item{.cause = std::string(5000, 'x')}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->cause.size(), kMostCause);
}

TEST(Item, IsDamagedWhenAnythingIsMissingOrOfAnotherType) {
  const std::string whole = encode(Item{.body = "text"});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(decode({}, std::string_view(whole).substr(0, size))) << size;
  EXPECT_FALSE(decode({}, whole + "x"));
  EXPECT_FALSE(decode({}, "\x80"));
}

TEST(Item, IsOwnedByATenant) {
  EXPECT_EQ(owner_in("hook:shop/m1:shop:order:crm"), "hook:shop/m1");
  EXPECT_EQ(owner_in("hook:shop"), "hook:shop");
  EXPECT_EQ(owner_in("lane"), "lane");
  EXPECT_EQ(owner_in(""), "");
}

TEST(Item, HasANameOfTwoParts) {
  const Name name{"lane:of it", "id"};
  EXPECT_EQ(parse_record_name(record_name(name)), name);
  for (const std::string_view bad : {std::string_view(""), std::string_view("lane"),
                                     std::string_view("lane\0", 5), std::string_view("\0id", 3)})
    EXPECT_FALSE(parse_record_name(bad));
}

}  // namespace
}  // namespace carrel::delivery
