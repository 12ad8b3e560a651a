#include "patterns/hook/fragment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carrel::hook {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string cleaned(const std::vector<std::string>& places, std::string answer) {
  EXPECT_THAT(clean_fragments(places, answer), IsEmpty());
  return answer;
}

std::string problem_of(const std::vector<std::string>& places, std::string answer) {
  return document::text_of(clean_fragments(places, answer));
}

TEST(Fragment, IsCleanedWhereThePointSaysSo) {
  EXPECT_EQ(cleaned({"/html"}, R"({"html":"<b>hi</b><script>x()</script>","n":1})"),
            R"({"html":"<b>hi</b>","n":1})");
  EXPECT_EQ(cleaned({""}, R"("<img src=\"a.png\" onerror=\"x()\">")"), R"("<img src=\"a.png\">")");
}

TEST(Fragment, AStarIsEachElement) {
  EXPECT_EQ(
      cleaned({"/cards/*/html"}, R"({"cards":[{"html":"<i onclick=x()>a</i>"},{"title":"b"}]})"),
      R"({"cards":[{"html":"<i>a</i>"},{"title":"b"}]})");
}

TEST(Fragment, NamesMayBeEscaped) {
  EXPECT_EQ(cleaned({"/a~1b/c~0d"}, R"({"a/b":{"c~d":"<script></script>ok"}})"),
            R"({"a/b":{"c~d":"ok"}})");
}

TEST(Fragment, MayBeAbsentButMustBeAText) {
  EXPECT_EQ(cleaned({"/html", "/x/y"}, R"({"n":1})"), R"({"n":1})");
  EXPECT_EQ(problem_of({"/html"}, R"({"html":5})"), "/html: is not a text with HTML");
  EXPECT_EQ(problem_of({"/a/*/b"}, R"({"a":[{},{"b":[]}]})"), "/a/1/b: is not a text with HTML");
  EXPECT_THAT(problem_of({"/html"}, "{\"html\":\"" + std::string(300'000, 'x') + "\"}"),
              HasSubstr("/html: "));
}

TEST(Fragment, ThatIsWhereItIsNotLookedForIsRefused) {
  EXPECT_EQ(cleaned({"/cards/0"}, R"({"cards":["<script>x</script>ok","<i>"]})"),
            R"({"cards":["ok","<i>"]})");
  EXPECT_EQ(cleaned({"/cards/9"}, R"({"cards":[]})"), R"({"cards":[]})");
  EXPECT_NE(problem_of({"/cards/*/html"}, R"({"cards":{"0":{"html":"<script>"}}})"), "");
  EXPECT_NE(problem_of({"/cards/html"}, R"({"cards":[{"html":"<script>"}]})"), "");
  EXPECT_NE(problem_of({"/a/b"}, R"({"a":"<script>"})"), "");
}

TEST(Fragment, AllTogetherAreBounded) {
  std::string cards = R"({"h":["<b>x")";
  for (int i = 0; i < 3000; ++i) cards += R"(,"<b>x")";
  std::string answer = cards + "]}";
  const auto problems = clean_fragments({"/h/*"}, answer);
  EXPECT_FALSE(problems.empty());
  EXPECT_LE(problems.size(), 8U);
}

TEST(Fragment, WhatFollowsATextCannotLeaveIt) {
  const std::string text = cleaned({"/html"}, R"({"html":"</div></body><!-- \u003cscript>"})");
  EXPECT_THAT(text, Not(HasSubstr("script")));
  EXPECT_THAT(text, Not(HasSubstr("<")));
}

}  // namespace
}  // namespace carrel::hook
