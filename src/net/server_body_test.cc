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
