#include "document/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace carrel::document {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::shared_ptr<const Schema> schema(std::string_view text) {
  auto made = Schema::compile(text);
  if (!made) ADD_FAILURE() << made.error().message();
  return made ? *made : nullptr;
}

std::string why_not(std::string_view text) {
  const auto made = Schema::compile(text);
  return made ? "" : made.error().message();
}

constexpr std::string_view kCart = R"({
  "type": "object", "required": ["items"],
  "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/item"}}},
  "$defs": {"item": {"type": "object", "required": ["sku"],
                     "properties": {"sku": {"type": "string", "pattern": "^[A-Z]+$"},
                                    "price": {"type": "number", "minimum": 0}},
                     "unevaluatedProperties": false}}})";

TEST(Schema, TakesWhatItDescribes) {
  EXPECT_THAT(schema(kCart)->check(R"({"items": [{"sku": "A", "price": 1.5}]})"), IsEmpty());
}

TEST(Schema, NamesTheFieldAndNotItsValue) {
  const auto problems =
      schema(kCart)->check(R"({"items": [{"sku": "A"}, {"sku": "A", "price": "SECRET"}]})");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].at, "/items/1/price");
  EXPECT_THAT(problems[0].message, HasSubstr("number"));
  EXPECT_THAT(text_of(problems), Not(HasSubstr("SECRET")));
}

TEST(Schema, SaysAtMostEightThings) {
  std::string text = R"({"items": [)";
  for (int i = 0; i < 100; ++i) text += "{},";
  text += "{}]}";
  EXPECT_EQ(schema(kCart)->check(text).size(), 8U);
}

TEST(Schema, ADocumentThatIsNoJsonIsNotValid) {
  EXPECT_THAT(schema("true")->check("{"), Not(IsEmpty()));
  EXPECT_THAT(schema("true")->check(std::string(100'000, '[')), Not(IsEmpty()));
}

TEST(Schema, RefusesWhatIsNoSchema) {
  EXPECT_THAT(why_not("{"), HasSubstr("not JSON"));
  EXPECT_THAT(why_not(R"({"type": "strang"})"), HasSubstr("/type"));
  EXPECT_THAT(why_not(R"({"$schema": "http://json-schema.org/draft-07/schema#"})"),
              HasSubstr("2020-12"));
  EXPECT_THAT(why_not(R"--({"pattern": "("})--"), Not(IsEmpty()));
  EXPECT_THAT(why_not(std::string(kMaxSchema + 1, ' ')), HasSubstr("the most"));
}

TEST(Schema, FetchesNothing) {
  EXPECT_THAT(why_not(R"({"$ref": "https://example.com/schema.json"})"), Not(IsEmpty()));
  EXPECT_THAT(why_not(R"({"$ref": "file:///etc/passwd"})"), Not(IsEmpty()));
  EXPECT_THAT(why_not(R"({"$ref": "other.json"})"), Not(IsEmpty()));
}

TEST(Schema, PatternsTakeLinearTime) {
  EXPECT_THAT(why_not(R"--({"pattern": "(a)\\1"})--"), Not(IsEmpty()));
  EXPECT_THAT(why_not(R"--({"pattern": "(((a{500}){500}){500})"})--"), Not(IsEmpty()));
  const auto bad = schema(R"({"pattern": "^(a+)+$"})");
  EXPECT_THAT(bad->check("\"" + std::string(100'000, 'a') + "b\""), Not(IsEmpty()));
}

TEST(Schema, ReferencesInACircleEnd) {
  for (
      const char* text :
      {R"({"$ref": "#"})", R"({"allOf": [{"$ref": "#"}]})",
       R"({"anyOf": [{"$ref": "#"}, {"$ref": "#"}], "type": "object"})",
       R"({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"})",
       R"({"$dynamicRef": "#"})", R"({"not": {"$ref": "#"}})"}) {
    const auto made = Schema::compile(text);
    if (made) (void)(*made)->check(R"({"a": [1, "b"]})");
  }
}

// Each level asks the next one twice.
std::string doubling(int levels, std::string_view keyword) {
  std::string text = R"({"$ref": "#/$defs/s0", "$defs": {)";
  for (int i = 0; i < levels; ++i) {
    const std::string next = R"({"$ref": "#/$defs/s)" + std::to_string(i + 1) + "\"}";
    text += "\"s" + std::to_string(i) + "\": {\"" + std::string(keyword) + "\": [" + next + "," +
            next + "]},";
  }
  return text + "\"s" + std::to_string(levels) + R"(": {"type": "string"}}})";
}

TEST(Schema, AChecksStepsAreBounded) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  EXPECT_THAT(text_of(schema(doubling(40, "anyOf"))->check("1")), HasSubstr("too long"));
  EXPECT_THAT(text_of(schema(doubling(40, "allOf"))->check("\"x\"")), HasSubstr("too long"));
  std::string deep(
      R"({"properties": {"x": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}}, "required": ["y"]})");
  std::string document = "1";
  for (int i = 0; i < 60; ++i) document = "{\"x\": " + document + "}";
  EXPECT_THAT(schema(deep)->check(document), Not(IsEmpty()));
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(20));  // 2^40 steps take hours
}

}  // namespace
}  // namespace carrel::document
