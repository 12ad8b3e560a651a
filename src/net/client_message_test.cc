#include "net/client_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carrel::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

using Headers = decltype(OutgoingRequest::headers);

OutgoingRequest request(std::string method, Headers headers = {}, std::string body = {}) {
  return {.method = std::move(method),
          .url = parse_url("http://a.b:8080/x?y").value(),
          .headers = std::move(headers),
          .body = std::move(body)};
}

TEST(OutgoingHead, HasOurOwnHostAndLength) {
  const auto head = write_request_head(request(
      "POST", {{"host", "evil"}, {"Content-Length", "999"}, {"Accept", "text/plain"}}, "body"));
  EXPECT_EQ(head.value(),
            "POST /x?y HTTP/1.1\r\nHost: a.b:8080\r\nAccept: text/plain\r\nUser-Agent: carrel\r\n"
            "Content-Length: 4\r\n\r\n");
}

TEST(OutgoingHead, LeavesOutWhatConcernsAConnection) {
  const auto head = write_request_head(request("GET", {{"Connection", "X-Mine, upgrade"},
                                                       {"x-mine", "1"},
                                                       {"Upgrade", "websocket"},
                                                       {"TE", "trailers"},
                                                       {"Transfer-Encoding", "chunked"},
                                                       {"Expect", "100-continue"},
                                                       {"Proxy-Authorization", "x"},
                                                       {"User-Agent", "mine"}}));
  EXPECT_EQ(head.value(), "GET /x?y HTTP/1.1\r\nHost: a.b:8080\r\nUser-Agent: mine\r\n\r\n");
}

TEST(OutgoingHead, RefusesWhatCouldBecomeAnotherRequest) {
  for (const auto* method : {"", "CONNECT", "connect", "TRACE", "GET / HTTP/1.1\r\nX:", "G T"}) {
    EXPECT_FALSE(write_request_head(request(method))) << method;
  }
  const Headers bad[] = {{{"A", "b\r\nC: d"}},    {{"A", "b\nC: d"}},
                         {{"A", "b\rc"}},         {{"A", std::string("b\0c", 3)}},
                         {{"A: b\r\nC", "d"}},    {{"", "x"}},
                         {{"A ", "x"}},           {{"A", std::string(70'000, 'x')}},
                         Headers(300, {"A", "x"})};
  for (const Headers& headers : bad) {
    const auto head = write_request_head(request("GET", headers));
    ASSERT_FALSE(head);
    EXPECT_EQ(head.error().code(), Code::invalid_argument);
  }
  auto forged = request("GET");
  forged.url.target = "/ HTTP/1.1\r\nX: y";
  EXPECT_FALSE(write_request_head(forged));
  forged = request("GET");
  forged.url.host = "a.b/c";
  EXPECT_FALSE(write_request_head(forged));
}

ResponseHead read(std::string_view head, std::string_view method = "GET") {
  return parse_response_head(head, method).value();
}

TEST(IncomingHead, SaysHowTheBodyIsFramed) {
  const auto length = read("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX: y\r\n\r\n");
  EXPECT_EQ(length.head.status, 200);
  EXPECT_EQ(length.body, BodyKind::length);
  EXPECT_EQ(length.length, 12);
  EXPECT_TRUE(length.keep_alive);
  EXPECT_THAT(length.head.headers, ElementsAre(Pair("Content-Length", "12"), Pair("X", "y")));
  EXPECT_EQ(read("HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n").body, BodyKind::chunked);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\n\r\n").body, BodyKind::until_close);
  EXPECT_FALSE(read("HTTP/1.1 200 OK\r\n\r\n").keep_alive);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").body, BodyKind::none);
  EXPECT_EQ(read("HTTP/1.1 204 No\r\n\r\n").body, BodyKind::none);
  EXPECT_EQ(read("HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n").body, BodyKind::none);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD").body, BodyKind::none);
  EXPECT_EQ(read("HTTP/1.1 103 Early\r\n\r\n").body, BodyKind::none);
}

TEST(IncomingHead, SaysWhetherTheConnectionIsKept) {
  const std::string rest = "Content-Length: 1\r\n\r\n";
  EXPECT_FALSE(read("HTTP/1.1 200 OK\r\nConnection: x, Close\r\n" + rest).keep_alive);
  EXPECT_FALSE(read("HTTP/1.0 200 OK\r\n" + rest).keep_alive);
  EXPECT_TRUE(read("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + rest).keep_alive);
  EXPECT_THAT(
      read("HTTP/1.1 200 OK\r\nKeep-Alive: 5\r\nConnection: X\r\nX: y\r\n\r\n").head.headers,
      ElementsAre());
}

TEST(IncomingHead, RefusesWhatTwoReadersCouldUnderstandDifferently) {
  for (const auto* head :
       {"",
        "\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 -20 OK\r\n\r\n",
        "HTTP/1.1 101 Go\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "SSH-2.0-x\r\n\r\n"}) {
    const auto response = parse_response_head(head, "GET");
    ASSERT_FALSE(response) << head;
    EXPECT_EQ(response.error().code(), Code::egress_bad_response);
  }
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 300; ++i) many += "A: b\r\n";
  EXPECT_THAT(parse_response_head(many + "\r\n", "GET").error().message(), HasSubstr("too many"));
}

}  // namespace
}  // namespace carrel::net
