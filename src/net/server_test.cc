#include "net/server.h"

#include "net/test_server.h"

namespace carrel::net::testing_server {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(HttpServer, ADisconnectCancelsTheHandler) {
  serve();
  Client client(server_->port());
  client.send(get("/forever"));
  ASSERT_TRUE(eventually([&] { return handler_.waiting == 1; }));
  client.close();
  EXPECT_TRUE(eventually([&] { return handler_.waiting == 0; }));
}

TEST_F(HttpServer, AClientThatOnlyClosesItsSideGetsAllOfALongReply) {
  serve();
  Client client(server_->port(), 4096);
  client.send(get("/big", kClose));
  ::shutdown(client.fd(), SHUT_WR);
  EXPECT_THAT(client.rest().size(), testing::Gt(200U * 100'000));
}

TEST_F(HttpServer, APortIsNotSharedWithoutBeingAskedTo) {
  serve();
  for (const PortUse use : {PortUse::alone, PortUse::first}) {
    auto second = Server::listen(shard_, handler_, {.port = server_->port(), .use = use});
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code(), Code::unavailable);
  }
}

TEST_F(HttpServer, ServersOfOneProcessShareAPortThatNobodyElseHas) {
  auto first = Server::listen(shard_, handler_, {.use = PortUse::first});
  ASSERT_TRUE(first.has_value());
  const std::uint16_t port = (*first)->port();
  EXPECT_TRUE(
      Server::listen(shard_, handler_, {.port = port, .use = PortUse::another}).has_value());
  EXPECT_FALSE(Server::listen(shard_, handler_, {.port = port, .use = PortUse::first}).has_value());
}

TEST_F(HttpServer, AHandlerThatDoesNotAnswerIsAnInternalError) {
  serve();
  EXPECT_THAT(ask(get("/silent")),
              AllOf(StartsWith("HTTP/1.1 500 "), HasSubstr(R"("code":"internal")")));
}

TEST_F(HttpServer, AReplysHeadersCannotSplitIt) {
  serve();
  EXPECT_THAT(ask(get("/invalid")),
              AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("Set-Cookie"))));
}

TEST_F(HttpServer, AReplysHeadLeavesBeforeItsBody) {
  serve();
  Client client(server_->port());
  client.send(get("/begun"));
  EXPECT_THAT(client.until("\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\n")));
  client.close();
  EXPECT_TRUE(eventually([&] { return handler_.waiting == 0; }));
}

TEST_F(HttpServer, AnAbortedReplyDoesNotLookComplete) {
  serve();
  Client client(server_->port());
  client.send(get("/broken"));
  const std::string reply = client.rest();
  EXPECT_THAT(reply, Not(HasSubstr("0\r\n\r\n")));
  EXPECT_TRUE(client.reset());
}

TEST_F(HttpServer, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  serve();
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += get("/" + std::to_string(i));
  const std::string reply =
      ask(requests + post("/echo", "Content-Length: 4\r\n", "body") + get("/last", kClose));
  std::size_t at = 0;
  for (int i = 0; i < 100; ++i) {
    at = reply.find("hello /" + std::to_string(i) + "HTTP/1.1", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_THAT(reply, AllOf(HasSubstr("bodyHTTP/1.1"), EndsWith("hello /last")));
}

TEST_F(HttpServer, UnderstandsARequestCutAtAnyByte) {
  serve();
  const std::string whole = "\r\n" +
                            post("/echo", "Transfer-Encoding: chunked\r\n",
                                 "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: u\r\n\r\n") +
                            get("/x", kClose);
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    Client client(server_->port());
    client.send(whole.substr(0, cut));
    ::poll(nullptr, 0, 1);
    client.send(whole.substr(cut));
    ASSERT_THAT(client.rest(), AllOf(HasSubstr("abcdefgHTTP/1.1"), EndsWith("hello /x"))) << cut;
  }
}

TEST_F(HttpServer, AnswersOlderClientsWithoutChunks) {
  serve();
  EXPECT_THAT(ask("GET /stream HTTP/1.0\r\n\r\n"),
              AllOf(HasSubstr("Connection: close\r\n"), EndsWith("\r\n\r\none two")));
}

TEST_F(HttpServer, SendsNoBodyWhereThereIsNone) {
  serve();
  EXPECT_THAT(ask("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              AllOf(HasSubstr("Content-Length: 8\r\n"), EndsWith("\r\n\r\n")));
  EXPECT_THAT(ask("HEAD /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              EndsWith("\r\n\r\n"));
  EXPECT_THAT(ask(get("/empty", kClose)),
              AllOf(StartsWith("HTTP/1.1 204 No Content\r\n"), Not(HasSubstr("Content-Length")),
                    EndsWith("\r\n\r\n")));
}

TEST_F(HttpServer, FramingIsNeverTheHandlersToSay) {
  serve();
  const std::string reply = ask(get("/x", kClose));
  EXPECT_THAT(
      reply, AllOf(HasSubstr("Content-Length: 8\r\n"), Not(HasSubstr("999")), HasSubstr("Date: ")));
}

struct CountingLog final : AccessLog {
  std::vector<std::string> lines;
  void write(const AccessRecord& r) override {
    lines.push_back(std::string(r.request.method) + " " + std::to_string(r.status) + " " +
                    std::to_string(r.bytes_in));
  }
};

TEST_F(HttpServer, EveryRequestIsLoggedRefusedOnesToo) {
  CountingLog log;
  serve({}, nullptr, &log);
  ask(post("/echo", "Content-Length: 3\r\n", "abc") + get("/silent"));
  ask("nonsense\r\n\r\n");
  shard_.stop();
  thread_.join();
  EXPECT_THAT(log.lines, testing::ElementsAre("POST 200 54", "GET 500 33", " 400 12"));
}

}  // namespace
}  // namespace carrel::net::testing_server
