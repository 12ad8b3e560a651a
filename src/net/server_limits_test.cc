// Limits that hold against any client.
#include "net/test_server.h"

namespace carrel::net::testing_server {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(HttpServer, RefusesMalformedRequestsWithAProblemAndCloses) {
  serve();
  const std::string reply = ask("GET / HTTP/1.1\r\nHost : h\r\n\r\n" + get("/second"));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(reply,
              AllOf(HasSubstr("Connection: close\r\n"), HasSubstr("application/problem+json"),
                    HasSubstr(R"("code":"bad_request")")));
  EXPECT_THAT(reply, Not(HasSubstr("second")));
  EXPECT_EQ(handler_.handled, 0);
}

TEST_F(HttpServer, RefusesWhatIsTooLarge) {
  ServerLimits limits;
  limits.header_bytes = 6000;
  limits.body_bytes = 10;
  serve(limits);
  EXPECT_THAT(ask("GET /" + std::string(7000, 'a')), StartsWith("HTTP/1.1 414 "));
  EXPECT_THAT(ask(get("/", "X: " + std::string(7000, 'a') + "\r\n")), StartsWith("HTTP/1.1 431 "));
  std::string many;
  for (int i = 0; i < 200; ++i) many += "X: y\r\n";
  EXPECT_THAT(ask(get("/", many)), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ask(post("/echo", "Content-Length: 11\r\n", "")), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(handler_.handled, 0);
  EXPECT_THAT(ask(post("/echo", "Transfer-Encoding: chunked\r\n",
                       "6\r\nabcdef\r\n5\r\nghijk\r\n0\r\n\r\n")),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServer, ASlowHeadEndsInATimeoutHoweverItsBytesTrickle) {
  ServerLimits limits;
  limits.header_time = 40ms;
  serve(limits);
  Client client(server_->port());
  std::atomic<bool> over = false;
  std::thread loris([&] {
    client.send("GET / HTTP/1.1\r\n");
    while (!over) {
      client.send("X: y\r\n");
      std::this_thread::sleep_for(5ms);
    }
  });
  const std::string reply = client.until("}");
  over = true;
  loris.join();
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpServer, AnIdleConnectionIsClosedWithoutAWord) {
  ServerLimits limits;
  limits.idle_time = 20ms;
  serve(limits);
  EXPECT_EQ(ask(""), "");
  EXPECT_THAT(ask(get("/x")), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("hello /x")));
}

TEST_F(HttpServer, AClientThatNeverReadsIsGivenUp) {
  ServerLimits limits;
  limits.write_pause = 30ms;
  serve(limits);
  Client client(server_->port(), 4096);
  client.send(get("/big"));
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  EXPECT_TRUE(eventually([&] { return handler_.waiting == 0; }));
}

TEST_F(HttpServer, AReplyThatIsTakenAtOnceLetsOthersHaveTheirTurn) {
  serve();
  ask("HEAD /long HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");  // nothing to send: never
                                                                       // blocked
  EXPECT_TRUE(handler_.others_first);
}

TEST_F(HttpServer, EmptyLinesBeforeARequestAreFew) {
  serve();
  EXPECT_THAT(ask("\r\n\r\n" + get("/x", kClose)), EndsWith("hello /x"));
  std::string many;
  for (int i = 0; i < 100; ++i) many += "\r\n";
  EXPECT_THAT(ask(many), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServer, ConnectionsBeyondTheLimitWaitForTheirTurn) {
  ServerLimits limits;
  limits.connections = 1;
  serve(limits);
  Client first(server_->port());
  first.send(get("/later"));
  ASSERT_TRUE(eventually([&] { return handler_.waiting == 1; }));
  Client second(server_->port());
  second.send(get("/x", kClose));
  EXPECT_EQ(handler_.handled, 1);
  handler_.released = true;
  EXPECT_THAT(first.until("later"), EndsWith("later"));
  first.close();
  EXPECT_THAT(second.rest(), EndsWith("hello /x"));
}

}  // namespace
}  // namespace carrel::net::testing_server
