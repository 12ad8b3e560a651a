#include "abi/cgi_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/memory_reply.h"

namespace carrel::abi {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::StartsWith;

class NoLog final : public turn::GuestLog {
 public:
  void line(const turn::ModuleSetup&, std::uint64_t, std::string_view) override {}
};

std::vector<std::string> list(const wasi::Strings& strings) {
  std::vector<std::string> items;
  std::string_view block = strings.block();
  while (!block.empty()) {
    items.emplace_back(block.substr(0, block.find('\0')));
    block.remove_prefix(items.back().size() + 1);
  }
  EXPECT_EQ(items.size(), strings.count());
  return items;
}

struct Fixture {
  turn::ModuleSetup module{.name = ModuleName("m")};
  net::Request request{.method = "GET",
                       .target = "/a/b%20c?x=1&y",
                       .path = "/a/b%20c",
                       .query = "x=1&y",
                       .host = "shop.example:8080",
                       .scheme = "http",
                       .remote_address = "127.0.0.1"};
  turn::HttpTarget target{.route = "/a/...",
                          .script_name = "/a",
                          .path_info = "/b c",
                          .raw_path_info = "/b%20c",
                          .parameters = {{"sku-id", "7"}}};
  turn::Event event{.request = &request, .target = &target};
  net::MemoryReply reply;
  NoLog log;
  turn::Turn turn{.id = 255, .module = module, .event = event, .reply = reply, .log = log};
};

TEST(CgiEnvironment, DescribesTheRequest) {
  Fixture f;
  EXPECT_THAT(
      list(environment_of(f.turn)),
      testing::IsSupersetOf({"SERVER_NAME=shop.example", "SERVER_PORT=8080", "SCRIPT_NAME=/a",
                             "X_MATCHED_ROUTE=/a/...", "PATH_INFO=/b c", "X_RAW_PATH_INFO=/b%20c",
                             "QUERY_STRING=x=1&y", "CONTENT_LENGTH=0",
                             "REMOTE_USER=", "X_FULL_URL=http://shop.example:8080/a/b%20c?x=1&y",
                             "CARREL_PARAM_SKU_ID=7"}));
}

TEST(CgiEnvironment, WithholdsCredentialsAndProxy) {
  Fixture f;
  f.request.headers = {
      {"Authorization", "Bearer x"}, {"Connection", "close"}, {"Proxy", "http://x"}};
  for (const std::string& variable : list(environment_of(f.turn))) {
    EXPECT_THAT(variable, Not(StartsWith("HTTP_"))) << variable;
  }
}

TEST(CgiEnvironment, GivesTheLastOfRepeatedHeadersAndNoBrokenText) {
  Fixture f;
  f.request.headers = {{"X-A", "1"}, {"x-a", "2"}, {"X-B", "\xff\xfe"}, {"X-C", "\xc3\xa4"}};
  const auto variables = list(environment_of(f.turn));
  EXPECT_THAT(variables, Contains("HTTP_X_A=2"));
  EXPECT_THAT(variables, Not(Contains("HTTP_X_A=1")));
  EXPECT_THAT(variables, Contains("HTTP_X_B=CORRUPT VALUE"));
  EXPECT_THAT(variables, Contains("HTTP_X_C=\xc3\xa4"));
}

TEST(CgiEnvironment, CannotBeSplitByANul) {
  Fixture f;
  f.target.path_info = std::string("/a\0EVIL=1", 9);
  EXPECT_THAT(list(environment_of(f.turn)), Contains("PATH_INFO=/a"));
}

TEST(CgiEnvironment, PutsTheRequestBeforeTheModulesOwn) {
  Fixture f;
  f.module.environment = {{"REQUEST_METHOD", "FAKE"}, {"OWN", "1"}};
  const auto variables = list(environment_of(f.turn));
  const auto real = std::ranges::find(variables, "REQUEST_METHOD=GET");
  const auto fake = std::ranges::find(variables, "REQUEST_METHOD=FAKE");
  EXPECT_LT(real, fake);
  EXPECT_THAT(variables, Contains("OWN=1"));
}

TEST(CgiEnvironment, DescribesAnyOtherEventAsCloudEventsDo) {
  Fixture f;
  turn::Event event{.source = "/orders",
                    .type = "com.example.made",
                    .time = WallTime(std::chrono::seconds(0)),
                    .attributes = {{"tenantid", "acme"}}};
  turn::Turn turn{.id = 255, .module = f.module, .event = event, .reply = f.reply, .log = f.log};
  EXPECT_THAT(list(environment_of(turn)),
              testing::IsSupersetOf({"CE_ID=00000000000000ff", "CE_SOURCE=/orders",
                                     "CE_TYPE=com.example.made", "CE_TIME=1970-01-01T00:00:00Z",
                                     "CE_TENANTID=acme", "CE_SPECVERSION=1.0"}));
  EXPECT_THAT(list(arguments_of(turn)), ElementsAre("m"));
}

TEST(CgiArguments, AreThePathAndTheQuerysItems) {
  Fixture f;
  EXPECT_THAT(list(arguments_of(f.turn)), ElementsAre("/a/b%20c", "x=1", "y"));
}

TEST(CgiArguments, FollowTheTemplate) {
  Fixture f;
  f.module.argv = "program ${SCRIPT_NAME} ${ARGS}";
  EXPECT_THAT(list(arguments_of(f.turn)), ElementsAre("program", "/a", "x=1", "y"));
}

}  // namespace
}  // namespace carrel::abi
