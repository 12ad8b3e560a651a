// For tests of the server: a handler that behaves as its path says, and a client that blocks.
#pragma once

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "async/event.h"
#include "base/fd.h"
#include "net/server.h"

namespace carrel::net::testing_server {

using namespace std::chrono_literals;

inline constexpr auto kLong = 20s;  // only a broken server takes this long

inline async::Task<Result<std::string>> read_all(RequestBody& body) {
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
    if (path == "/trailers") return trailers(exchange, "X-Sum");
    if (path == "/trailers-whole") return trailers_whole(exchange);
    if (path == "/bad-trailers") return trailers(exchange, "Set-Cookie");
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
  // The reply's trailers are the request's, and one more.
  static Fields trailers_for(const Exchange& exchange, std::string name) {
    Fields fields;
    for (const Header& field : exchange.request.trailers)
      fields.emplace_back(field.name, field.value);
    fields.emplace_back(std::move(name), "1");
    return fields;
  }
  async::Task<void> trailers(Exchange& exchange, std::string name) {
    (void)co_await read_all(exchange.body);
    ReplyHead head{.headers = {{"Trailer", name}}};
    (void)co_await exchange.reply.start(std::move(head), std::nullopt);
    (void)co_await exchange.reply.write("body");
    exchange.reply.give_trailers(trailers_for(exchange, std::move(name)));
    (void)co_await exchange.reply.finish();
  }
  async::Task<void> trailers_whole(Exchange& exchange) {
    exchange.reply.give_trailers(trailers_for(exchange, "X-Sum"));
    (void)co_await exchange.reply.send(ReplyHead(), "body");
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

inline std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}
inline std::string post(std::string_view path, std::string_view fields, std::string_view body) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" +
         std::string(body);
}
inline constexpr std::string_view kClose = "Connection: close\r\n";

}  // namespace carrel::net::testing_server
