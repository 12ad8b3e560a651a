#include "app/case_calls.h"

#include <gmock/gmock.h>

#include "app/case.h"

namespace carrel::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Result<Case> read(std::string_view calls) {
  Manifest app;
  app.modules.push_back({.name = ModuleName("price")});
  return parse_case("[case]\n[event]\npath = \"/\"\n[expect]\nstatus = 200\n" + std::string(calls),
                    "case.toml", &app);
}

std::string error(std::string_view calls) {
  auto parsed = read(calls);
  return parsed ? "no error" : parsed.error().message();
}

TEST(CaseCalls, AreReadInTheirOrder) {
  const auto parsed = read(
      "[[http]]\n"
      "method = \"POST\"\n"
      "url = \"https://rates.test/eur\"\n"
      "headers = { accept = \"text/plain\" }\n"
      "body = \"1\"\n"
      "reply = { status = 201, headers = { x = \"y\" }, body = \"1.09\" }\n"
      "[[http]]\n"
      "url = \"http://b.test\"\n"
      "error = \"refused\"\n");
  ASSERT_TRUE(parsed) << parsed.error().message();
  ASSERT_EQ(parsed->calls.size(), 2u);
  const CaseCall& first = parsed->calls[0];
  EXPECT_EQ(first.method, "POST");
  EXPECT_EQ(first.url.text(), "https://rates.test/eur");
  EXPECT_THAT(first.headers, ElementsAre(Pair("accept", "text/plain")));
  EXPECT_EQ(first.body, "1");
  EXPECT_EQ(first.reply.status, 201);
  EXPECT_THAT(first.reply.headers, ElementsAre(Pair("x", "y")));
  EXPECT_EQ(first.reply_body, "1.09");
  EXPECT_EQ(parsed->calls[1].method, "GET");
  EXPECT_EQ(parsed->calls[1].error, Code::egress_refused);
  EXPECT_FALSE(parsed->calls[1].body);
}

TEST(CaseCalls, SayWhatIsWrong) {
  EXPECT_THAT(error("[[http]]\nreply = {}\n"), HasSubstr("url"));
  EXPECT_THAT(error("[[http]]\nurl = \"/eur\"\nreply = {}\n"), HasSubstr("\"/eur\""));
  EXPECT_THAT(error("[[http]]\nurl = \"http://a.test\"\n"), HasSubstr("one of `reply`, `error`"));
  EXPECT_THAT(error("[[http]]\nurl = \"http://a.test\"\nreply = {}\nerror = \"tls\"\n"),
              HasSubstr("one of `reply`, `error`"));
  EXPECT_THAT(error("[[http]]\nurl = \"http://a.test\"\nerror = \"gone\"\n"),
              HasSubstr("\"gone\" is no error of a call; there are address, bad_response"));
  EXPECT_THAT(error("[[http]]\nurl = \"http://a.test\"\nreply = { status = 99 }\n"),
              HasSubstr("status"));
  EXPECT_THAT(error("[[http]]\nurl = \"http://a.test\"\nreply = { text = \"x\" }\n"),
              HasSubstr("text"));
}

}  // namespace
}  // namespace carrel::app
