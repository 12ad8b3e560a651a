#include "net/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <thread>

#include "async/event.h"
#include "base/fd.h"
#include "net/test_certificate.h"

namespace carrel::net {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr auto kLong = 20s;  // only a broken server takes this long

async::Task<Result<std::string>> read_all(RequestBody& body) {
  std::string all;
  std::array<std::byte, 1000> part;
  while (!body.finished()) {
    const std::size_t n = body.read(part);
    all.append(reinterpret_cast<const char*>(part.data()), n);
    if (n > 0 || body.finished()) continue;
    CARREL_CO_TRY_VOID(co_await body.wait());
  }
  co_return all;
}

// What the handler's frame holds while it waits: gone with it.
struct Held {
  std::atomic<int>* held;
  explicit Held(std::atomic<int>* count) : held(count) { ++*held; }
  ~Held() { --*held; }
};

class Behaviours final : public Handler {
 public:
  explicit Behaviours(async::Shard& shard) : shard_(shard) {}
  std::atomic<int> waiting = 0;
  std::atomic<int> handled = 0;

  async::Task<void> handle(Exchange& exchange) override {
    ++handled;
    const std::string_view path = exchange.request.path;
    if (path == "/silent") return silent();
    if (path == "/forever") return forever();
    if (path == "/echo") return echo(exchange);
    if (path == "/stream") return stream(exchange);
    if (path == "/big") return big(exchange);
    if (path == "/long") return taken_at_once(exchange);
    if (path == "/early") return early(exchange);
    if (path == "/broken") return broken(exchange);
    if (path == "/invalid") return invalid(exchange);
    if (path == "/begun") return begun(exchange);
    if (path == "/empty") return empty(exchange);
    if (path == "/later") return later(exchange);
    return hello(exchange);
  }

 private:
  async::Task<void> silent() { co_return; }
  async::Task<void> forever() {
    const Held held(&waiting);
    co_await shard_.sleep_for(1h);
  }
  async::Task<void> hello(Exchange& exchange) {
    ReplyHead head{
        .headers = {{"X-Method", std::string(exchange.request.method)}, {"Content-Length", "999"}}};
    const std::string body = "hello " + std::string(exchange.request.target);
    (void)co_await exchange.reply.send(std::move(head), body);
  }
  async::Task<void> echo(Exchange& exchange) {
    auto all = co_await read_all(exchange.body);
    if (!all) {
      ReplyHead head = problem_head(all.error());
      const std::string body = problem_body(all.error(), exchange.id);
      (void)co_await exchange.reply.send(std::move(head), body);
      co_return;
    }
    (void)co_await exchange.reply.send(ReplyHead(), *all);
  }
  async::Task<void> stream(Exchange& exchange) {
    (void)co_await exchange.reply.start(ReplyHead(), std::nullopt);
    (void)co_await exchange.reply.write("one ");
    co_await shard_.sleep_for(1ms);
    (void)co_await exchange.reply.write("two");
    (void)co_await exchange.reply.finish();
  }
  async::Task<void> big(Exchange& exchange) {
    const Held held(&waiting);
    const std::string part(100'000, 'x');
    (void)co_await exchange.reply.start(ReplyHead(), part.size() * 200);
    for (int i = 0; i < 200; ++i) {
      if (!co_await exchange.reply.write(part)) co_return;
    }
    (void)co_await exchange.reply.finish();
  }
  async::Task<void> taken_at_once(Exchange& exchange) {
    shard_.submit([this] { others_had_their_turn = true; });
    (void)co_await exchange.reply.start(ReplyHead(), std::nullopt);
    const std::string part(100'000, 'x');
    for (int i = 0; i < 30; ++i) (void)co_await exchange.reply.write(part);
    others_first = others_had_their_turn.load();
    (void)co_await exchange.reply.finish();
  }
  async::Task<void> early(Exchange& exchange) {
    (void)co_await exchange.reply.send(ReplyHead{.status = 403}, "no");
  }
  async::Task<void> broken(Exchange& exchange) {
    (void)co_await exchange.reply.start(ReplyHead(), std::nullopt);
    (void)co_await exchange.reply.write("part");
    exchange.reply.abort();
  }
  async::Task<void> invalid(Exchange& exchange) {
    ReplyHead head{.headers = {{"X", "a\r\nSet-Cookie: b"}}};
    (void)co_await exchange.reply.send(std::move(head), "not sent");
  }
  async::Task<void> begun(Exchange& exchange) {
    const Held held(&waiting);
    (void)co_await exchange.reply.start(ReplyHead(), std::nullopt);
    co_await shard_.sleep_for(1h);
  }
  async::Task<void> empty(Exchange& exchange) {
    (void)co_await exchange.reply.send(ReplyHead{.status = 204}, "not sent");
  }
  async::Task<void> later(Exchange& exchange) {
    const Held held(&waiting);
    while (!released) co_await shard_.sleep_for(1ms);
    (void)co_await exchange.reply.send(ReplyHead(), "later");
  }

  async::Shard& shard_;

 public:
  std::atomic<bool> released = false;
  std::atomic<bool> others_had_their_turn = false, others_first = false;
};

// A client that blocks, and gives up rather than hang.
class Client {
 public:
  explicit Client(std::uint16_t port, int receive_buffer = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{.tv_sec = std::chrono::seconds(kLong).count()};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (receive_buffer > 0)
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in to{.sin_family = AF_INET,
                   .sin_port = htons(port),
                   .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  int fd() const { return fd_.get(); }
  void close() { fd_.reset(); }
  void send(std::string_view bytes) { ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  // All until the server closes.
  std::string rest() {
    std::string all;
    while (more(all)) {
    }
    return all;
  }
  // Until `end` has been received.
  std::string until(std::string_view end) {
    std::string all;
    while (!all.contains(end) && more(all)) {
    }
    return all;
  }
  bool reset() const { return reset_; }

 private:
  bool more(std::string& all) {
    std::array<char, 65536> part;
    const ssize_t n = ::recv(fd_.get(), part.data(), part.size(), 0);
    reset_ = n < 0 && errno == ECONNRESET;
    if (n <= 0) return false;
    all.append(part.data(), static_cast<std::size_t>(n));
    return true;
  }
  Fd fd_;
  bool reset_ = false;
};

class HttpServer : public testing::Test {
 protected:
  void serve(ServerLimits limits = {}, std::shared_ptr<TlsContext> tls = nullptr,
             AccessLog* log = nullptr) {
    auto server = Server::listen(shard_, handler_,
                                 {.limits = limits, .tls = std::move(tls), .access_log = log});
    ASSERT_TRUE(server.has_value()) << server.error().message();
    server_ = std::move(*server);
    server_->start();
    thread_ = std::thread([this] { shard_.run(); });
  }
  ~HttpServer() override {
    shard_.stop();
    if (thread_.joinable()) thread_.join();
  }
  std::string ask(std::string_view bytes) {
    Client client(server_->port());
    client.send(bytes);
    return client.rest();
  }
  // For what happens on the shard on its own: only a broken server lets this time out.
  template <typename Condition>
  static bool eventually(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + kLong;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }

  async::Shard shard_;
  Behaviours handler_{shard_};
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}
std::string post(std::string_view path, std::string_view fields, std::string_view body) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" +
         std::string(body);
}
constexpr std::string_view kClose = "Connection: close\r\n";

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

TEST_F(HttpServer, ABodyThatStopsArrivingEndsTheWait) {
  ServerLimits limits;
  limits.body_pause = 20ms;
  serve(limits);
  EXPECT_THAT(ask(post("/echo", "Content-Length: 5\r\n", "ab")),
              AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("Connection: close")));
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

TEST_F(HttpServer, ADisconnectWithinTheBodyCancelsTheHandler) {
  serve();
  Client client(server_->port());
  client.send(post("/echo", "Content-Length: 10\r\n", "abc"));
  ASSERT_TRUE(eventually([&] { return handler_.handled == 1; }));
  client.close();
  EXPECT_THAT(ask(get("/x", kClose)), EndsWith("hello /x"));
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

TEST_F(HttpServer, AnswersOlderClientsWithoutChunks) {
  serve();
  EXPECT_THAT(ask("GET /stream HTTP/1.0\r\n\r\n"),
              AllOf(HasSubstr("Connection: close\r\n"), EndsWith("\r\n\r\none two")));
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

TEST_F(HttpServer, DrainingEndsIdleConnectionsAndLetsRequestsFinish) {
  serve();
  Client idle(server_->port()), busy(server_->port());
  idle.send(get("/x"));
  EXPECT_THAT(idle.until("hello /x"), EndsWith("hello /x"));
  busy.send(get("/later"));
  ASSERT_TRUE(eventually([&] { return handler_.waiting == 1; }));
  std::promise<void> drained;
  shard_.submit([&] {
    async::detach([](Server* server, std::promise<void>* done) -> async::Task<void> {
      co_await server->drain(kLong);
      done->set_value();
    }(server_.get(), &drained));
  });
  EXPECT_EQ(idle.rest(), "");
  handler_.released = true;
  EXPECT_THAT(busy.rest(), AllOf(HasSubstr("Connection: close\r\n"), EndsWith("later")));
  EXPECT_EQ(drained.get_future().wait_for(kLong), std::future_status::ready);
}

TEST_F(HttpServer, DrainingEndsWithItsBound) {
  serve();
  Client client(server_->port());
  client.send(get("/forever"));
  ASSERT_TRUE(eventually([&] { return handler_.waiting == 1; }));
  std::promise<void> drained;
  shard_.submit([&] {
    async::detach([](Server* server, std::promise<void>* done) -> async::Task<void> {
      co_await server->drain(10ms);
      done->set_value();
    }(server_.get(), &drained));
  });
  EXPECT_EQ(drained.get_future().wait_for(kLong), std::future_status::ready);
  EXPECT_EQ(handler_.waiting, 0);
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

TEST(TlsFiles, ThatCannotBeUsedAreNamed) {
  const auto tls = load_tls({.certificate = "/nowhere/cert.pem", .key = "/nowhere/key.pem"});
  ASSERT_FALSE(tls.has_value());
  EXPECT_EQ(tls.error().code(), Code::invalid_config);
  EXPECT_THAT(tls.error().message(), HasSubstr("/nowhere/cert.pem"));
}

TEST_F(HttpServer, SpeaksTlsAndOffersItsProtocol) {
  const TestCertificate files;
  auto tls = load_tls(files.files());
  ASSERT_TRUE(tls.has_value()) << tls.error().message();
  serve({}, *tls);
  Handle<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_client_method()));
  Handle<SSL, SSL_free> ssl(SSL_new(context.get()));
  constexpr std::string_view kOffer = "\x02h2\x08http/1.1";
  SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(kOffer.data()),
                      kOffer.size());
  const Client socket(server_->port());
  SSL_set_fd(ssl.get(), socket.fd());
  ASSERT_EQ(SSL_connect(ssl.get()), 1);
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl.get(), &chosen, &size);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(chosen), size), "http/1.1");
  const std::string request = get("/x") + get("/big", kClose);
  SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
  std::string reply;
  std::array<char, 65536> part;
  for (int n; (n = SSL_read(ssl.get(), part.data(), part.size())) > 0;)
    reply.append(part.data(), static_cast<std::size_t>(n));
  EXPECT_THAT(reply.substr(0, 300), HasSubstr("hello /xHTTP/1.1 200 OK"));
  EXPECT_GT(reply.size(), 20'000'000U);
}

TEST(Tls, AKeyWithAPassphraseIsRefusedWithoutAskingForIt) {
  const TestCertificate files(TestCertificate::Key::with_passphrase);
  const auto tls = load_tls(files.files());
  ASSERT_FALSE(tls.has_value());
  EXPECT_THAT(tls.error().help(), HasSubstr("passphrase"));
}

TEST_F(HttpServer, PlainTextOnATlsPortIsDropped) {
  const TestCertificate files;
  auto tls = load_tls(files.files());
  ASSERT_TRUE(tls.has_value());
  serve({}, *tls);
  EXPECT_THAT(ask(get("/x")), Not(HasSubstr("HTTP")));
  EXPECT_EQ(handler_.handled, 0);
}

}  // namespace
}  // namespace carrel::net
