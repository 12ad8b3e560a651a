#include "patterns/function/router.h"

#include <gmock/gmock.h>

namespace carrel::function {
namespace {

using app::RouteRules;
using Kind = RouteMatch::Kind;

Router make(std::initializer_list<const char*> routes, RouteRules rules = RouteRules::carrel) {
  std::vector<RouteEntry> entries;
  for (const char* text : routes) {
    auto route = app::parse_route(text, rules);
    EXPECT_TRUE(route) << text;
    entries.push_back({std::move(*route), entries.size()});
  }
  return Router(rules, std::move(entries));
}

// The route's number, or what else came of it.
std::string ask(const Router& router, std::string_view path, std::string_view method = "GET") {
  turn::HttpTarget target;
  const RouteMatch match = router.match(method, path, target);
  switch (match.kind) {
    case Kind::found:
      return std::to_string(match.target);
    case Kind::not_found:
      return "404";
    case Kind::method_not_allowed:
      return "405 " + match.allow;
    case Kind::bad_request:
      return "400";
    case Kind::health:
      return "health";
  }
  return "";
}

TEST(Router, WithoutRoutesFindsNothing) { EXPECT_EQ(ask(Router(), "/"), "404"); }

TEST(Router, RefusesPathsThatMeanSomethingElseDecoded) {
  const Router router = make({"/*"});
  for (const auto* path : {"", "a", "*", "/%", "/%4", "/%4g", "/a%00b", "/..", "/a/../b", "/a/.",
                           "/%2e%2E/b", "/.%2e"}) {
    EXPECT_EQ(ask(router, path), "400") << path;
  }
  EXPECT_EQ(ask(router, std::string_view("/a\0b", 4)), "400");
  EXPECT_EQ(ask(router, "/..."), "0");
  EXPECT_EQ(ask(router, "/a..b/.c"), "0");
}

TEST(Router, ChecksSegmentsThatNoRouteCouldName) {
  std::string path;
  for (int i = 0; i < 100; ++i) path += "/%61";
  EXPECT_EQ(ask(make({"/*"}), path), "0");
  EXPECT_EQ(ask(make({"/*"}), path + "/%2e."), "400");
  EXPECT_EQ(ask(make({"/a/:b"}), path), "404");
}

TEST(Router, SurvivesAPathOfAMillionSegments) {
  std::string path;
  for (int i = 0; i < 1'000'000; ++i) path += "/a";
  EXPECT_EQ(ask(make({"/:a/:b/*", "/a/b"}), path), "0");
}

TEST(Router, PrefersExactToParameterToRest) {
  const Router router = make({"/a/*", "/a/:x", "/a/b", "/*", "/:x/b"});
  EXPECT_EQ(ask(router, "/a/b"), "2");
  EXPECT_EQ(ask(router, "/a/c"), "1");
  EXPECT_EQ(ask(router, "/a/c/d"), "0");
  EXPECT_EQ(ask(router, "/a/"), "0");
  EXPECT_EQ(ask(router, "/c/b"), "4");
  EXPECT_EQ(ask(router, "/c/c"), "3");
  EXPECT_EQ(ask(router, "/"), "3");
}

TEST(Router, GoesBackWhenTheMoreExactBranchHasNoEnd) {
  const Router router = make({"/a/b/c", "/a/:x/d", "/*"});
  EXPECT_EQ(ask(router, "/a/b/c"), "0");
  EXPECT_EQ(ask(router, "/a/b/d"), "1");
  EXPECT_EQ(ask(router, "/a/b/e"), "2");
}

TEST(Router, TellsAPathFromTheOneWithASlashAtItsEnd) {
  const Router router = make({"/a", "/b/"});
  EXPECT_EQ(ask(router, "/a"), "0");
  EXPECT_EQ(ask(router, "/a/"), "404");
  EXPECT_EQ(ask(router, "/b"), "404");
  EXPECT_EQ(ask(router, "/b/"), "1");
  EXPECT_EQ(ask(make({"/p/:x"}), "/p/"), "404");
  EXPECT_EQ(ask(make({"/p/*"}), "/p"), "404");
}

TEST(Router, NamesTheMethodsThatAreAllowed) {
  const Router router = make({"GET /a", "POST,PUT /a", "DELETE /:x", "POST /b"});
  EXPECT_EQ(ask(router, "/a", "PATCH"), "405 DELETE, GET, HEAD, OPTIONS, POST, PUT");
  EXPECT_EQ(ask(router, "/a", "OPTIONS"), "405 DELETE, GET, HEAD, OPTIONS, POST, PUT");
  EXPECT_EQ(ask(router, "/b", "GET"), "405 DELETE, OPTIONS, POST");
  EXPECT_EQ(ask(router, "/a/b", "GET"), "404");
}

TEST(Router, AnswersHeadWithGetUnlessItHasItsOwn) {
  EXPECT_EQ(ask(make({"POST /a", "GET /a"}), "/a", "HEAD"), "1");
  EXPECT_EQ(ask(make({"GET /a", "HEAD /a"}), "/a", "HEAD"), "1");
  EXPECT_EQ(ask(make({"POST /a"}), "/a", "HEAD"), "405 OPTIONS, POST");
}

TEST(Router, PrefersARouteForTheMethodToOneForAny) {
  const Router router = make({"/a", "GET /a"});
  EXPECT_EQ(ask(router, "/a", "GET"), "1");
  EXPECT_EQ(ask(router, "/a", "HEAD"), "1");
  EXPECT_EQ(ask(router, "/a", "POST"), "0");
}

TEST(Router, FallsBackToALessExactRouteThatHasTheMethod) {
  EXPECT_EQ(ask(make({"GET /a", "POST /:x"}), "/a", "POST"), "1");
}

TEST(Router, ComparesDecodedSegmentsAndKeepsEncodedSlashesInOne) {
  const Router router = make({"/a%20b/:x", "/a/b"});
  EXPECT_EQ(ask(router, "/a%20b/c"), "0");
  EXPECT_EQ(ask(router, "/%61/%62"), "1");
  EXPECT_EQ(ask(router, "/a%2Fb"), "404");
}

TEST(Router, GivesParametersDecodedAndWhatIsLeftOfThePath) {
  const Router router = make({"/x/:a/:b/*"});
  turn::HttpTarget target;
  ASSERT_EQ(router.match("GET", "/%78/1%2F2/%c3%a4/r%20s/t", target).kind, Kind::found);
  EXPECT_EQ(target.route, "/x/:a/:b/*");
  EXPECT_EQ(target.script_name, "/%78/1%2F2/%c3%a4");
  EXPECT_EQ(target.raw_path_info, "/r%20s/t");
  EXPECT_EQ(target.path_info, "/r s/t");
  ASSERT_EQ(target.parameters.size(), 2u);
  EXPECT_EQ(target.parameters[0], (std::pair<std::string_view, std::string>("a", "1/2")));
  EXPECT_EQ(target.parameters[1], (std::pair<std::string_view, std::string>("b", "\xC3\xA4")));
}

TEST(Router, LeavesNothingOfAnExactPath) {
  const Router router = make({"/x/:a"});
  turn::HttpTarget target;
  target.path_info = "old";
  target.parameters.emplace_back("old", "old");
  ASSERT_EQ(router.match("GET", "/x/7", target).kind, Kind::found);
  EXPECT_EQ(target.script_name, "/x/7");
  EXPECT_EQ(target.raw_path_info, "");
  EXPECT_EQ(target.path_info, "");
  EXPECT_EQ(target.parameters.size(), 1u);
}

TEST(Router, StillWorksAfterItWasMoved) {
  Router first = make({"/a", "/:x/c"});
  const Router second = std::move(first);
  EXPECT_EQ(ask(second, "/b/c"), "1");
}

TEST(WagiRouter, TakesTheFirstThatFits) {
  const Router router = make({"/a/...", "/a/b", "/", "/c"}, RouteRules::wagi);
  EXPECT_EQ(ask(router, "/a/b"), "0");
  EXPECT_EQ(ask(router, "/a"), "0");
  EXPECT_EQ(ask(router, "/ab"), "404");
  EXPECT_EQ(ask(router, "/"), "2");
  EXPECT_EQ(ask(router, "/c", "BREW"), "3");
  EXPECT_EQ(ask(router, "/c/"), "404");
  EXPECT_EQ(ask(router, "/a/../c"), "400");
  EXPECT_EQ(ask(router, "/a/%zz"), "400");
}

TEST(WagiRouter, AnswersHealthBeforeEveryRoute) {
  EXPECT_EQ(ask(make({"/..."}, RouteRules::wagi), "/healthz"), "health");
  EXPECT_EQ(ask(make({"/..."}, RouteRules::wagi), "/healthz/x"), "0");
}

TEST(WagiRouter, SplitsScriptNameAndPathInfo) {
  const Router router = make({"/a/...", "/..."}, RouteRules::wagi);
  turn::HttpTarget target;
  ASSERT_EQ(router.match("GET", "/a/b%20c/", target).kind, Kind::found);
  EXPECT_EQ(target.route, "/a/...");
  EXPECT_EQ(target.script_name, "/a");
  EXPECT_EQ(target.raw_path_info, "/b%20c/");
  EXPECT_EQ(target.path_info, "/b c/");
  ASSERT_EQ(router.match("GET", "/a", target).kind, Kind::found);
  EXPECT_EQ(target.path_info, "");
  ASSERT_EQ(router.match("GET", "/z", target).kind, Kind::found);
  EXPECT_EQ(target.script_name, "");
  EXPECT_EQ(target.path_info, "/z");
}

TEST(SafeRelativePath, RefusesEveryWayOutOfAFolder) {
  for (const auto* rest : {"/..", "/../a", "/a/../b", "/%2e%2e/a", "/.", "//etc/passwd", "/a//b",
                           "/%2Fetc", "/a%2F..%2Fb", "/a%5Cb", "/a\\b", "/%00", "/%"}) {
    EXPECT_FALSE(safe_relative_path(rest)) << rest;
  }
}

TEST(SafeRelativePath, DecodesWhatIsLeft) {
  EXPECT_EQ(safe_relative_path("").value(), "");
  EXPECT_EQ(safe_relative_path("/").value(), "");
  EXPECT_EQ(safe_relative_path("/a%20b/c.txt").value(), "a b/c.txt");
  EXPECT_EQ(safe_relative_path("/a/").value(), "a/");
  EXPECT_EQ(safe_relative_path("/...").value(), "...");
}

}  // namespace
}  // namespace carrel::function
