#include "patterns/hook/mask.h"

#include <gtest/gtest.h>

namespace carrel::hook {
namespace {

TEST(Mask, HidesWhatIsNamedAndKeepsItsKind) {
  EXPECT_EQ(masked({"/a", "/b/c", "/l/*/n", "/l/0/x"},
                   R"({"a":"secret","b":{"c":17,"d":1},"l":[{"n":true,"x":[1]},{"n":{"y":2}}]})"),
            R"({"a":"***","b":{"c":0,"d":1},"l":[{"n":false,"x":[]},{"n":{}}]})");
  EXPECT_EQ(masked({""}, R"({"a":1})"), "{}");
  EXPECT_EQ(masked({"/a~1b"}, R"({"a/b":"x"})"), R"({"a/b":"***"})");
}

TEST(Mask, LeavesTheRestAsItWas) {
  EXPECT_EQ(masked({}, R"({"a": 1.10})"), R"({"a": 1.10})");
  EXPECT_EQ(masked({"/none", "/a/b"}, R"({"a":{"c":1}})"), R"({"a":{"c":1}})");
  EXPECT_EQ(masked({"/a/b"}, R"({"a":null})"), R"({"a":null})");
}

TEST(Mask, HidesAllThatStandsWhereTheDocumentIsNotAsThePlaceHasIt) {
  EXPECT_EQ(masked({"/a/email"}, R"({"a":["x@y"]})"), R"({"a":[]})");
  EXPECT_EQ(masked({"/a/email"}, R"({"a":"x@y"})"), R"({"a":"***"})");
  EXPECT_EQ(masked({"/a/*/email"}, R"({"a":{"k":{"email":"x@y"}}})"), R"({"a":{}})");
  EXPECT_EQ(masked({"/a"}, "{"), "null");
}

}  // namespace
}  // namespace carrel::hook
