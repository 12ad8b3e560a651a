#include "patterns/hook/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carrel::hook {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Point point_with(Combine combine, std::string_view input, std::string_view output) {
  Point point{.name = "p", .combine = combine};
  point.input = document::Schema::compile(input).value();
  point.output = document::Schema::compile(output).value();
  return point;
}

std::string problem_of(const Point& point, std::string_view answer,
                       std::string_view input = R"({"n": 1})") {
  const Combination combination(point.combine, std::string(input));
  return document::text_of(check_answer(point, combination, answer, kMaxAnswers));
}

constexpr std::string_view kNumber =
    R"({"type": "object", "properties": {"n": {"type": "integer", "maximum": 10}}})";

TEST(HookAnswer, IsWhatTheSchemaSays) {
  const Point point = point_with(Combine::first, "true", kNumber);
  EXPECT_EQ(problem_of(point, R"({"n": 2})"), "");
  EXPECT_THAT(problem_of(point, R"({"n": "2"})"), HasSubstr("/n"));
  EXPECT_THAT(problem_of(point, "hello"), HasSubstr("not JSON"));
  EXPECT_THAT(problem_of(point, std::string(100, '[')), HasSubstr("deeper"));
  EXPECT_THAT(problem_of(point, R"({"n": 1, "n": 2})"), HasSubstr("twice"));
  EXPECT_THAT(problem_of(point, "\"" + std::string(kMaxDocument, 'x') + "\""),
              HasSubstr("the most"));
}

TEST(HookAnswer, OfAChainMustBeAnInputAsWell) {
  const Point point = point_with(Combine::chain, kNumber, "true");
  EXPECT_EQ(problem_of(point, R"({"n": 10})"), "");
  EXPECT_THAT(problem_of(point, R"({"n": 11})"), HasSubstr("/n"));
  EXPECT_THAT(problem_of(point, R"({"n": 11})"), HasSubstr("the input that it makes"));
}

TEST(HookAnswer, OfAMergeMustLeaveAnInput) {
  const Point point = point_with(Combine::merge, R"({"required": ["n"]})", "true");
  EXPECT_EQ(problem_of(point, R"({"m": 10})"), "");
  EXPECT_THAT(problem_of(point, R"({"n": null})"), HasSubstr("the input that it makes"));
}

TEST(HookAnswer, ManyTogetherAreBounded) {
  const Point point = point_with(Combine::all, "true", "true");
  const Combination combination(point.combine, "{}");
  EXPECT_THAT(check_answer(point, combination, "\"abc\"", 5), IsEmpty());
  EXPECT_THAT(check_answer(point, combination, "\"abc\"", 4), Not(IsEmpty()));
}

TEST(HookAnswer, IsCutOffWhereItIsTooLarge) {
  const Point point{.name = "p"};
  const Combination combination(point.combine, "{}");
  Answer answer(point, combination, kMaxAnswers);
  const std::string half(kMaxDocument / 2 + 1, ' ');
  auto first = answer.write(half);
  first.start();
  auto second = answer.write(half);
  second.start();
  EXPECT_THAT(document::text_of(answer.problems()), HasSubstr("more than"));
}

}  // namespace
}  // namespace carrel::hook
