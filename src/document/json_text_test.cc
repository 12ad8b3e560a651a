#include "document/json_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "document/quick_json.h"

namespace carrel::document {
namespace {

using ::testing::HasSubstr;

std::string problem_of(std::string_view text, const JsonLimits& limits = {}) {
  const auto checked = check_json(text, limits);
  return checked ? "" : checked.error().message();
}

TEST(JsonText, TakesEveryKindOfValue) {
  for (const char* text : {"null", "true", "-1.5e3", "\"\\u00e4\"", "[]", "{}",
                           " {\"a\": [1, {}]} ", "123456789012345678901234567890"}) {
    EXPECT_EQ(problem_of(text), "") << text;
  }
}

TEST(JsonText, SaysWhereItIsNotJson) {
  EXPECT_THAT(problem_of("{\"a\": }"), HasSubstr("byte 7"));
  for (const char* text : {"", " ", "{", "[1,]", "nul", "{} {}", "'a'", "NaN", "\"\x01\"",
                           "\"\xff\"", "\"\\ud800\"", "1e999"}) {
    EXPECT_THAT(problem_of(text), HasSubstr("not JSON")) << text;
  }
}

TEST(JsonText, NothingHidesBehindANulOrAMark) {
  using namespace std::string_view_literals;
  for (const auto text : {"1\0"sv, "{}\0{{{"sv, "\0"sv, "1\0,\"a\":{}"sv, "\xef\xbb\xbf{}"sv})
    EXPECT_THAT(problem_of(text), HasSubstr("not JSON")) << text;
}

TEST(JsonText, RefusesANameThatIsThereTwice) {
  EXPECT_EQ(problem_of(R"({"a": 1, "b": {"a": 2}})"), "");
  EXPECT_THAT(problem_of(R"({"x": [{"a": 1, "a": 2}]})"), HasSubstr("\"a\" twice"));
  EXPECT_THAT(problem_of(R"({"a": 1, "\u0061": 2})"), HasSubstr("twice"));
}

TEST(JsonText, BoundsDepthAndSize) {
  EXPECT_EQ(problem_of("[[[1]]]", {.depth = 3}), "");
  EXPECT_THAT(problem_of("[[[[1]]]]", {.depth = 3}), HasSubstr("deeper than 3"));
  EXPECT_THAT(problem_of(std::string(1'000'000, '['), {}), HasSubstr("deeper"));
  EXPECT_THAT(problem_of("[1,2]", {.bytes = 4}), HasSubstr("4 are the most"));
}

TEST(JsonText, TheQuickLookIsSureOfWhatIsUsual) {
  for (const char* text :
       {"null", " [true, false, null] ", "-0.5e-7", "1E+10",
        R"({"a":{"a":""},"b":[{"a":1},{"a":2}]})", R"("\"\\\/\b\f\n\r\t\u00e4\uD83D\uDE00")",
        "\"\xc3\xa4\xf0\x9f\x98\x80 \x7f\""})
    EXPECT_TRUE(is_surely_json(text, 64)) << text;
  std::string wide = "{";
  for (int i = 0; i < 100; ++i) wide += "\"name" + std::to_string(i) + "\": \"value\",";
  EXPECT_TRUE(is_surely_json(wide + "\"last\": 0}", 1));
  EXPECT_FALSE(is_surely_json(wide + "\"name99\": 0}", 1));
}

TEST(JsonText, TheQuickLookIsNeverSureOfWhatIsWrong) {
  for (const char* text : {"",
                           "01",
                           "-",
                           "1.",
                           ".5",
                           "1e",
                           "+1",
                           "0x1",
                           "tru",
                           "nullx",
                           "[",
                           "[1",
                           "[1,",
                           "[,1]",
                           "{\"a\"}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"a\":1 \"b\":2}",
                           "\"",
                           "\"\\\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u123g\"",
                           "\"\\ud800\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\udc00\"",
                           "\"a\tb\"",
                           "\"\x1f\"",
                           "\"\xc3\"",
                           "\"\x80\"",
                           "\"\xc0\xaf\"",
                           "\"\xed\xa0\x80\"",
                           "1 2",
                           "{}}",
                           R"({"a":1,"a":1})",
                           R"({"a":1,"\u0061":1})",
                           "1e999"})
    EXPECT_FALSE(is_surely_json(text, 64)) << text;
  EXPECT_FALSE(is_surely_json("[[1]]", 1));
}

TEST(JsonText, KnowsNothingFromSomething) {
  EXPECT_TRUE(is_blank(""));
  EXPECT_TRUE(is_blank(" \r\n\t"));
  EXPECT_FALSE(is_blank(" 0"));
}

}  // namespace
}  // namespace carrel::document
