#include "patterns/hook/combine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace carrel::hook {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using Json = nlohmann::json;

TEST(Combine, FirstTakesTheFirstAnswerAndAsksNobodyElse) {
  Combination first(Combine::first, "{}");
  EXPECT_FALSE(first.decided());
  EXPECT_EQ(first.take_output(), "null");
  first.accept("a", "1.10");
  EXPECT_TRUE(first.decided());
  EXPECT_EQ(first.take_output(), "1.10");  // as it was written
}

TEST(Combine, AllKeepsEachAnswerInOrder) {
  Combination all(Combine::all, "{}");
  EXPECT_EQ(all.take_output(), "[]");
  all.accept("a", R"({"x":1})");
  all.accept("b", "null");
  EXPECT_FALSE(all.decided());
  EXPECT_EQ(all.take_output(), R"([{"x":1},null])");
}

TEST(Combine, ChainGivesEachTheLastAnswer) {
  Combination chain(Combine::chain, R"({"n":1})");
  EXPECT_EQ(chain.input(), R"({"n":1})");
  EXPECT_TRUE(chain.changes_input());
  EXPECT_FALSE(chain.merged_input(R"({"n":2})"));  // it is the answer
  chain.accept("a", R"({"n":2})");
  EXPECT_EQ(chain.input(), R"({"n":2})");
  EXPECT_EQ(chain.take_output(), R"({"n":2})");
}

TEST(Combine, AChainThatNobodyAnswersIsItsInput) {
  EXPECT_EQ(Combination(Combine::chain, "[1]").take_output(), "[1]");
}

// The examples of RFC 7396, appendix A.
TEST(Combine, MergeFollowsTheStandardsExamples) {
  struct Example {
    const char *original, *patch, *result;
  };
  for (const Example& each :
       {Example{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
        {R"({"a":"b"})", R"({"a":null})", R"({})"},
        {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
        {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
        {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
        {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
        {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
        {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
        {R"({"a":"foo"})", R"(null)", R"(null)"},
        {R"({"a":"foo"})", R"("bar")", R"("bar")"},
        {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
        {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
        {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"}}) {
    Combination merge(Combine::merge, each.original);
    EXPECT_EQ(Json::parse(*merge.merged_input(each.patch)), Json::parse(each.result)) << each.patch;
    merge.accept("a", each.patch);
    EXPECT_EQ(Json::parse(merge.take_output()), Json::parse(each.result)) << each.patch;
  }
}

TEST(Combine, LaterPatchesSeeEarlierOnes) {
  Combination merge(Combine::merge, R"({"a":1})");
  merge.accept("x", R"({"b":2})");
  merge.accept("y", R"({"a":null,"c":3})");
  EXPECT_EQ(Json::parse(merge.take_output()), Json::parse(R"({"b":2,"c":3})"));
}

TEST(Combine, OneDenialDenies) {
  Combination verdicts(Combine::any_deny, "{}");
  EXPECT_EQ(verdicts.take_output(), R"({"allow":true})");
  for (const char* none : {"1", "{}", R"({"allow":"x"})", R"({"allow":true,"reason":5})"}) {
    Combination other(Combine::any_deny, "{}");
    other.accept("a", none);
    EXPECT_FALSE(Json::parse(other.take_output())["allow"]) << none;
  }
  verdicts.accept("a", R"({"allow":true})");
  verdicts.accept("b", R"({"allow":false,"reason":"sold out"})");
  verdicts.accept("c", R"({"allow":false})");
  EXPECT_FALSE(verdicts.decided());
  EXPECT_EQ(Json::parse(verdicts.take_output()), Json::parse(R"({"allow":false,"denials":[
      {"binding":"b","reason":"sold out"},{"binding":"c","reason":""}]})"));
}

TEST(Combine, AVerdictNamesWhatIsWrongWithIt) {
  const Combination verdicts(Combine::any_deny, "{}");
  EXPECT_THAT(verdicts.check(R"({"allow":true,"reason":"x","more":1})"), IsEmpty());
  EXPECT_THAT(verdicts.check("true"), SizeIs(1));
  EXPECT_THAT(verdicts.check("{}"), SizeIs(1));
  EXPECT_EQ(verdicts.check(R"({"allow":"yes"})")[0].at, "/allow");
  EXPECT_EQ(verdicts.check(R"({"allow":false,"reason":[]})")[0].at, "/reason");
  EXPECT_EQ(verdicts.check(R"({"allow":false,"reason":")" + std::string(2000, 'x') + "\"}")[0].at,
            "/reason");
}

TEST(Combine, OnlyChainAndMergeChangeTheInput) {
  for (const Combine each : {Combine::first, Combine::all, Combine::any_deny})
    EXPECT_FALSE(Combination(each, "{}").changes_input());
}

}  // namespace
}  // namespace carrel::hook
