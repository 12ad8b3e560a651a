#include "app/route.h"

#include <gmock/gmock.h>

namespace carrel::app {
namespace {

using ::testing::HasSubstr;

std::string error_of(std::string_view text, RouteRules rules = RouteRules::carrel) {
  auto route = parse_route(text, rules);
  return route ? "no error" : route.error().message();
}

TEST(Route, RefusesWhatIsNoPath) {
  EXPECT_THAT(error_of(""), HasSubstr("is no route"));
  EXPECT_THAT(error_of("price"), HasSubstr("is no route"));
  EXPECT_THAT(error_of("GET"), HasSubstr("GET /path"));
  EXPECT_THAT(error_of("GET "), HasSubstr("must begin with '/'"));
  EXPECT_THAT(error_of("GET price"), HasSubstr("must begin with '/'"));
  EXPECT_THAT(error_of("/a?b"), HasSubstr("no query"));
  EXPECT_THAT(error_of("/a b"), HasSubstr("spaces"));
  EXPECT_THAT(error_of("/a//b"), HasSubstr("//"));
  EXPECT_THAT(error_of("/a/../b"), HasSubstr("'.' and '..'"));
  EXPECT_THAT(error_of("/a/%2e%2E/b"), HasSubstr("'.' and '..'"));
  EXPECT_THAT(error_of("/%4"), HasSubstr("percent"));
  EXPECT_THAT(error_of("/%00"), HasSubstr("percent"));
}

TEST(Route, RefusesUnknownMethodsAndNamesTheNearest) {
  EXPECT_THAT(error_of("get /"), HasSubstr("did you mean \"GET\"?"));
  EXPECT_THAT(error_of("PSOT /"), HasSubstr("did you mean \"POST\"?"));
  EXPECT_THAT(error_of("CONNECT /"), HasSubstr("unknown method"));
  EXPECT_THAT(error_of("GET, /"), HasSubstr("unknown method"));
  EXPECT_THAT(error_of("GET,GET /"), HasSubstr("twice"));
}

TEST(Route, RefusesWildcardsAndParametersInWrongPlaces) {
  EXPECT_THAT(error_of("/*/a"), HasSubstr("only be the end"));
  EXPECT_THAT(error_of("/a*"), HasSubstr("write /*"));
  EXPECT_THAT(error_of("/..."), HasSubstr("write /*"));
  EXPECT_THAT(error_of("/:"), HasSubstr("is no parameter"));
  EXPECT_THAT(error_of("/:a-b"), HasSubstr("is no parameter"));
  EXPECT_THAT(error_of("/:a/:a"), HasSubstr("twice"));
  EXPECT_THAT(error_of("/.../a", RouteRules::wagi), HasSubstr("only be the end"));
}

TEST(Route, IsBounded) {
  std::string deep;
  for (std::size_t i = 0; i <= kMaxSegments; ++i) deep += "/a";
  EXPECT_THAT(error_of(deep), HasSubstr("at most 32 segments"));
  EXPECT_THAT(error_of("/" + std::string(kMaxRouteBytes, 'a')), HasSubstr("at most 1024 bytes"));
}

TEST(Route, ReadsMethodsParametersAndTheRest) {
  const auto route = parse_route("GET,HEAD /a%20b/:sku/*", RouteRules::carrel);
  ASSERT_TRUE(route) << route.error().message();
  EXPECT_EQ(route->text, "/a%20b/:sku/*");
  EXPECT_THAT(route->methods, ::testing::ElementsAre("GET", "HEAD"));
  EXPECT_THAT(route->segments, ::testing::ElementsAre(Segment{Segment::Kind::exact, "a b"},
                                                      Segment{Segment::Kind::parameter, "sku"},
                                                      Segment{Segment::Kind::rest, ""}));
}

TEST(Route, IsTheSamePathWhateverItsParametersAreCalled) {
  const auto a = parse_route("/x/:a", RouteRules::carrel);
  EXPECT_TRUE(a->same_path(*parse_route("POST /x/:b", RouteRules::carrel)));
  EXPECT_FALSE(a->same_path(*parse_route("/x/a", RouteRules::carrel)));
  EXPECT_FALSE(a->same_path(*parse_route("/x/:a/", RouteRules::carrel)));
}

TEST(Route, OfWagiKnowsOnlyThePrefix) {
  const auto route = parse_route("/:a/*/...", RouteRules::wagi);
  ASSERT_TRUE(route) << route.error().message();
  EXPECT_EQ(route->segments[0], (Segment{Segment::Kind::exact, ":a"}));
  EXPECT_EQ(route->segments[1], (Segment{Segment::Kind::exact, "*"}));
  EXPECT_EQ(route->segments[2].kind, Segment::Kind::rest);
}

}  // namespace
}  // namespace carrel::app
