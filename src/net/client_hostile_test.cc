#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/test_client.h"

namespace carrel::net {
namespace {

using namespace testing_client;

Outcome call_hostile(std::string answer) {
  Hostile hostile({std::move(answer)});
  Fixture f;
  OutgoingRequest request{.url = f.url("/")};
  request.url.port = hostile.port();
  return f.call(std::move(request));
}

TEST(ClientAndHostilePeers, AResponseThatIsNoneFailsTheCall) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  struct Case {
    std::string answer;
    Code code;
  };
  const Case cases[] = {
      {"", Code::egress_closed},
      {"\r\n\r\n", Code::egress_bad_response},
      {"garbage", Code::egress_closed},
      {"SSH-2.0-x\r\n\r\n", Code::egress_bad_response},
      {std::string(200'000, 'x'), Code::egress_too_large},
      {ok + std::string(200'000, 'x'), Code::egress_too_large},
      {ok + "A: " + std::string(70'000, 'x') + "\r\n\r\n", Code::egress_too_large},
      {ok, Code::egress_closed},
      {ok + "A: b\n\n", Code::egress_bad_response},
      {ok + "Content-Length: 5\r\n\r\nshor", Code::egress_closed},
      {ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", Code::egress_bad_response},
      {ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", Code::egress_bad_response},
      {ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
       Code::egress_bad_response},
      {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", Code::egress_closed},
      {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
       Code::egress_bad_response},
      {ok + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
       Code::egress_bad_response},
      {"HTTP/1.1 101 Switching\r\n\r\n", Code::egress_bad_response},
      {std::string("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", 27), Code::egress_bad_response}};
  for (const auto& [answer, code] : cases) {
    const Outcome outcome = call_hostile(answer);
    EXPECT_FALSE(outcome.ok) << answer.substr(0, 80);
    EXPECT_EQ(outcome.error.code(), code)
        << answer.substr(0, 80) << ": " << outcome.error.message();
  }
  std::string interim;
  for (int i = 0; i < 100; ++i) interim += "HTTP/1.1 103 Early\r\n\r\n";
  EXPECT_FALSE(call_hostile(interim + ok + "Content-Length: 0\r\n\r\n").ok);
}

TEST(ClientAndHostilePeers, WhatIsUnusualButClearIsRead) {
  EXPECT_EQ(call_hostile("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200\r\n\r\nall of it").body,
            "all of it");
  EXPECT_EQ(call_hostile("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\n"
                         "X-Trailer: x\r\n\r\n")
                .body,
            "hi");
  EXPECT_TRUE(call_hostile("HTTP/1.1 204 No\r\n\r\n").ok);
}

TEST(ClientAndHostilePeers, AConnectionThatSaidMoreThanItsResponseIsNotKept) {
  Hostile hostile(
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: "
       "4\r\n\r\nevil",
       "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"});
  Fixture f;
  OutgoingRequest request{.url = f.url("/")};
  request.url.port = hostile.port();
  EXPECT_EQ(f.call(request).body, "ok");
  EXPECT_EQ(f.call(request).body, "good");
}

}  // namespace
}  // namespace carrel::net
