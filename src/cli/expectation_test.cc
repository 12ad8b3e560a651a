#include "cli/expectation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carrel::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TurnResult answered(int status, std::string body) {
  TurnResult result;
  result.head = {.status = status, .headers = {{"content-type", "text/plain"}}};
  result.body = std::move(body);
  return result;
}

TEST(Differences, ATurnThatFailedUnexpectedlyIsOne) {
  TurnResult result = answered(502, "");
  result.error.emplace(Code::guest_trapped, "division by zero");
  EXPECT_THAT(differences({}, result), ElementsAre(HasSubstr("division by zero")));
}

TEST(Differences, NamesEveryDifference) {
  app::CaseExpectation expected;
  expected.status = 200;
  expected.headers = {{"Content-Type", "text/html"}, {"etag", "1"}};
  expected.body = "right\n";
  expected.body_contains = {"right", "wr"};
  expected.stderr_contains = {"said"};
  EXPECT_THAT(differences(expected, answered(404, "wrong\n")),
              ElementsAre(HasSubstr("- 200\n+ 404"), HasSubstr("- text/html\n+ text/plain"),
                          HasSubstr("(not there)"), HasSubstr("- right\n+ wrong"),
                          HasSubstr("does not contain:\n- right"),
                          HasSubstr("standard error does not contain:\n- said")));
}

TEST(Differences, IsNoneWhenAllIsAsExpected) {
  app::CaseExpectation expected;
  expected.status = 200;
  expected.headers = {{"Content-Type", "text/plain"}};
  expected.body = "right\n";
  expected.exit = 0;
  EXPECT_THAT(differences(expected, answered(200, "right\n")), IsEmpty());
}

TEST(Differences, ComparesJsonByValue) {
  app::CaseExpectation expected;
  expected.body_json = R"({"a": 1, "b": [true]})";
  EXPECT_THAT(differences(expected, answered(200, R"({"b":[true],"a":1})")), IsEmpty());
  EXPECT_THAT(differences(expected, answered(200, R"({"b":[false],"a":1})")),
              ElementsAre(HasSubstr("false")));
  EXPECT_THAT(differences(expected, answered(200, "{")), ElementsAre(HasSubstr("not JSON")));
}

TEST(Differences, ATrapIsNoExit) {
  app::CaseExpectation expected;
  expected.exit = 0;
  TurnResult result = answered(502, "");
  result.guest.end = wasm::Outcome::End::trapped;
  EXPECT_THAT(differences(expected, result), ElementsAre(HasSubstr("did not exit")));
}

TEST(Effects, ThatAreAsExpectedDifferInNothing) {
  const app::CaseEffects expected{.values = {{.name = {"carts", "ada"}, .bytes = "1"}},
                                  .absent = {{"carts", "bob"}},
                                  .counters = {{{"stock", "mug"}, 2}, {{"stock", "tea"}, 0}},
                                  .blobs = {{.name = {"images", "a"}, .bytes = "blob"}},
                                  .absent_blobs = {{"carts", "ada"}}};
  const FoundState found{
      .values = {{.name = {"carts", "ada"}, .bytes = "1", .expires = WallTime()}},
      .counters = {{{"stock", "mug"}, 2}},
      .blobs = {{.name = {"images", "a"}, .bytes = "blob"}}};
  EXPECT_THAT(differences(expected, found), IsEmpty());
}

TEST(Effects, AreNamedWhereTheyDiffer) {
  const app::CaseEffects expected{
      .values = {{.name = {"carts", "ada"}, .bytes = "1", .expires = WallTime()},
                 {.name = {"carts", "eve"}, .bytes = "2"}},
      .absent = {{"carts", "bob"}},
      .counters = {{{"stock", "mug"}, 2}, {{"stock", "tea"}, 1}},
      .blobs = {{.name = {"images", "a"}, .bytes = "one"},
                {.name = {"images", "b"}, .bytes = "two"},
                {.name = {"images", "c"}, .bytes = "three"}},
      .absent_blobs = {{"images", "d"}}};
  const FoundState found{.values = {{.name = {"carts", "ada"}, .bytes = "one"},
                                    {.name = {"carts", "bob"}, .bytes = "3"}},
                         .counters = {{{"stock", "mug"}, -2}},
                         .blobs = {{.name = {"images", "a"}, .bytes = "eno"},
                                   {.name = {"images", "b"}, .bytes = "of other length"},
                                   {.name = {"images", "d"}, .bytes = "four"}},
                         .others = {{"carts", "evee"}, {"other", "eve"}}};
  EXPECT_THAT(
      differences(expected, found),
      ElementsAre(HasSubstr("kv carts/ada differs from line 1:\n- 1  (no line feed)\n+ one"),
                  HasSubstr("- expires 1970-01-01T00:00:00Z\n+ never expires"),
                  HasSubstr("kv carts/eve:\n- 2\n+ (not there; carts/evee is)"),
                  HasSubstr("kv carts/bob:\n- (not there)\n+ 3"),
                  HasSubstr("blob images/a differs from line 1:\n- one  (no line feed)\n+ eno"),
                  HasSubstr("blob images/b:\n- 3 bytes\n+ 15 bytes"),
                  HasSubstr("blob images/c:\n- three\n+ (not there)"),
                  HasSubstr("blob images/d:\n- (not there)\n+ four"),
                  HasSubstr("counter stock/mug:\n- 2\n+ -2"),
                  HasSubstr("counter stock/tea:\n- 1\n+ 0")));
}

TEST(LineDifference, StartsAtTheFirstLineThatDiffers) {
  EXPECT_EQ(line_difference("a\nb\nc\n", "a\nx\nc\n"), "- b\n- c\n+ x\n+ c");
  EXPECT_EQ(line_difference("a\n", "a"), "- a\n+ a  (no line feed)");
  EXPECT_EQ(line_difference("a\n", "a\nb\n"), "- (nothing)\n+ b");
}

TEST(LineDifference, NeverPrintsControlCharacters) {
  EXPECT_EQ(line_difference("a", "\x1b[2J").find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace carrel::cli
