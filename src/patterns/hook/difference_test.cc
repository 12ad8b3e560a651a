#include "patterns/hook/difference.h"

#include <gtest/gtest.h>

namespace carrel::hook {
namespace {

std::string text(std::string_view left, std::string_view right, std::size_t most = 10) {
  std::string all;
  for (const auto& each : differences(left, right, most))
    all += each.at + ": " + each.left + " | " + each.right + "\n";
  return all;
}

TEST(Difference, IsNoneWhereDocumentsMeanTheSame) {
  EXPECT_EQ(text(R"({"a":1,"b":[1,2]})", R"( {"b":[1,2.0], "a":1.0} )"), "");
  EXPECT_EQ(text("", "  \n"), "");
  EXPECT_EQ(text("not json", "not json"), "");
}

TEST(Difference, IsNamedByItsPlace) {
  EXPECT_EQ(text(R"({"a":{"b":1,"x/y":2}})", R"({"a":{"b":2,"x/y":3}})"),
            "/a/b: 1 | 2\n/a/x~1y: 2 | 3\n");
  EXPECT_EQ(text(R"({"a":1})", R"({"b":1})"), "/a: 1 | \n/b:  | 1\n");
  EXPECT_EQ(text("[1,2]", "[1]"), "/1: 2 | \n");
  EXPECT_EQ(text("[1]", "{}"), ": [1] | {}\n");
  EXPECT_EQ(text("1", ""), ": 1 | \n");
  EXPECT_EQ(text("<html>", "1"), ": no JSON: \"<html>\" | 1\n");
}

TEST(Difference, IsBounded) {
  EXPECT_EQ(differences("[1,2,3,4]", "[5,6,7,8]", 2).size(), 2U);
  const std::string longest = "\"" + std::string(5000, 'x') + "\"";
  EXPECT_LT(differences(longest, "1", 2)[0].left.size(), 100U);
  EXPECT_LT(differences(std::string(5000, '\xff'), "1", 2)[0].left.size(), 200U);
}

}  // namespace
}  // namespace carrel::hook
