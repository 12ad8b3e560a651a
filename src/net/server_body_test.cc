// Bodies of requests: asked for, streamed, left unread, cut off.
#include "net/test_server.h"

namespace carrel::net::testing_server {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(HttpServer, ABodyThatStopsArrivingEndsTheWait) {
  ServerLimits limits;
  limits.body_pause = 20ms;
  serve(limits);
  EXPECT_THAT(ask(post("/echo", "Content-Length: 5\r\n", "ab")),
              AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("Connection: close")));
}

TEST_F(HttpServer, ADisconnectWithinTheBodyCancelsTheHandler) {
  serve();
  Client client(server_->port());
  client.send(post("/echo", "Content-Length: 10\r\n", "abc"));
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  client.close();
  EXPECT_THAT(ask(get("/x", kClose)), EndsWith("hello /x"));
}

TEST_F(HttpServer, StreamsLargeBodiesBothWays) {
  serve();
  const std::string body(3'000'000, 'b');
  Client client(server_->port());
  std::thread sender([&] {
    client.send(post("/echo", "Content-Length: 3000000\r\nConnection: close\r\n", body));
  });
  const std::string reply = client.rest();
  sender.join();
  EXPECT_TRUE(reply.ends_with(body));
  EXPECT_THAT(ask(get("/stream", kClose)),
              AllOf(HasSubstr("Transfer-Encoding: chunked\r\n"),
                    EndsWith("\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n")));
  EXPECT_EQ(ask(get("/big", kClose)).substr(0, 15), "HTTP/1.1 200 OK");
}

TEST_F(HttpServer, AsksForTheBodyOnlyWhenTheHandlerWaitsForIt) {
  serve();
  Client client(server_->port());
  client.send(
      post("/echo", "Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n", ""));
  EXPECT_EQ(client.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_THAT(client.rest(), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("abc")));
  EXPECT_THAT(ask(post("/early", "Content-Length: 3\r\nExpect: 100-continue\r\n", "")),
              AllOf(StartsWith("HTTP/1.1 403 "), HasSubstr("Connection: close")));
}

constexpr std::string_view kTakes = "TE: deflate, Trailers\r\nConnection: close\r\n";

TEST_F(HttpServer, TrailersReachTheHandlerAndAClientThatTakesThem) {
  serve();
  const std::string chunked = "Transfer-Encoding: chunked\r\n" + std::string(kTakes);
  EXPECT_THAT(ask(post("/trailers", chunked, "3\r\nabc\r\n0\r\nX-A: b\r\nX-C:  d \r\n\r\n")),
              AllOf(HasSubstr("Trailer: X-Sum\r\n"),
                    EndsWith("4\r\nbody\r\n0\r\nX-A: b\r\nX-C: d\r\nX-Sum: 1\r\n\r\n")));
  EXPECT_THAT(ask(get("/trailers-whole", kTakes)),
              AllOf(HasSubstr("Transfer-Encoding: chunked\r\n"),
                    EndsWith("\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 1\r\n\r\n")));
}

TEST_F(HttpServer, AClientThatDoesNotTakeTrailersGetsNone) {
  serve();
  EXPECT_THAT(ask(get("/trailers", kClose)),
              AllOf(testing::Not(HasSubstr("X-Sum")), EndsWith("4\r\nbody\r\n0\r\n\r\n")));
  EXPECT_THAT(ask(get("/trailers-whole", kClose)),
              AllOf(HasSubstr("Content-Length: 4\r\n"), EndsWith("\r\n\r\nbody")));
  EXPECT_THAT(ask("GET /trailers-whole HTTP/1.0\r\nTE: trailers\r\n\r\n"),
              AllOf(HasSubstr("Content-Length: 4\r\n"), EndsWith("\r\n\r\nbody")));
  EXPECT_THAT(ask("HEAD /trailers-whole HTTP/1.1\r\nHost: h\r\n" + std::string(kTakes) + "\r\n"),
              EndsWith("\r\n\r\n"));
}

TEST_F(HttpServer, ATrailerThatMayNotBeOneBreaksTheReply) {
  serve();
  EXPECT_THAT(ask(get("/bad-trailers", kTakes)),
              AllOf(testing::Not(HasSubstr("Set-Cookie: ")), testing::Not(EndsWith("\r\n\r\n"))));
}

TEST_F(HttpServer, ARequestsTrailersAreNotTheNextOnes) {
  serve();
  const std::string first = post(
      "/trailers-whole", "Transfer-Encoding: chunked\r\nTE: trailers\r\n", "0\r\nX-Old: 1\r\n\r\n");
  const std::string both = ask(first + get("/trailers-whole", kTakes));
  EXPECT_EQ(both.find("X-Old"), both.rfind("X-Old"));
  EXPECT_THAT(both, EndsWith("0\r\nX-Sum: 1\r\n\r\n"));
}

TEST_F(HttpServer, SkipsASmallUnreadBodyAndClosesAfterALargeOne) {
  serve();
  EXPECT_THAT(ask(post("/early", "Content-Length: 4\r\n", "GET ") + get("/x", kClose)),
              EndsWith("hello /x"));
  const std::string reply =
      ask(post("/early", "Content-Length: 1000000\r\n", std::string(1'000'000, 'y')));
  EXPECT_THAT(reply,
              AllOf(StartsWith("HTTP/1.1 403 "), HasSubstr("Connection: close"), EndsWith("no")));
}

}  // namespace
}  // namespace carrel::net::testing_server
