#include "document/json_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

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

TEST(JsonText, KnowsNothingFromSomething) {
  EXPECT_TRUE(is_blank(""));
  EXPECT_TRUE(is_blank(" \r\n\t"));
  EXPECT_FALSE(is_blank(" 0"));
}

}  // namespace
}  // namespace carrel::document
