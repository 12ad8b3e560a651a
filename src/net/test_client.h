// For tests of the client: a site of this process, a peer that says what it likes, and a call.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <map>
#include <thread>

#include "async/event.h"
#include "base/fd.h"
#include "net/client.h"
#include "net/server.h"

namespace carrel::net::testing_client {

using namespace std::chrono_literals;

inline const TenantName kTenant("acme");

inline EgressPolicy loopback() { return {.allowed = {parse_range("127.0.0.0/8").value()}}; }

class Site final : public Handler {
 public:
  explicit Site(async::Shard& shard) : shard_(shard) {}
  std::vector<std::uint16_t> ports;  // of the clients
  std::string last_body;
  std::optional<std::uint64_t> last_length;
  Fields last_trailers;
  std::string last_announced;  // "Trailer"
  async::Event arrived;        // a call that is never answered

  async::Task<void> handle(Exchange& exchange) override {
    ports.push_back(exchange.request.remote_port);
    if (exchange.request.path == "/never") return never();
    if (exchange.request.path == "/big") return big(exchange);
    if (exchange.request.path == "/stream") return stream(exchange);
    if (exchange.request.path == "/refuses") return refuses(exchange);
    if (exchange.request.path == "/trailers") return trailers(exchange);
    if (exchange.request.path == "/begun") return begun(exchange);
    if (exchange.request.path == "/broken") return broken(exchange);
    return hello(exchange);
  }

 private:
  async::Task<void> never() {
    arrived.signal();
    co_await shard_.sleep_for(1h);
  }
  async::Task<void> hello(Exchange& exchange) {
    std::array<std::byte, 4096> part;
    last_body.clear();
    last_length = exchange.request.content_length;
    while (!exchange.body.finished()) {
      const std::size_t n = exchange.body.read(part);
      last_body.append(reinterpret_cast<const char*>(part.data()), n);
      if (n == 0 && !exchange.body.finished() && !co_await exchange.body.wait()) co_return;
    }
    last_trailers.clear();
    for (const Header& field : exchange.request.trailers)
      last_trailers.emplace_back(field.name, field.value);
    last_announced.clear();
    for (const Header& field : exchange.request.headers)
      if (same_name(field.name, "trailer")) last_announced = field.value;
    ReplyHead head{.status = 201, .headers = {{"X-Host", std::string(exchange.request.host)}}};
    (void)co_await exchange.reply.send(std::move(head),
                                       "hello " + std::string(exchange.request.target));
  }
  async::Task<void> big(Exchange& exchange) {
    const std::string part(100'000, 'x');
    (void)co_await exchange.reply.start(ReplyHead(), part.size() * 50);
    for (int i = 0; i < 50; ++i) {
      if (!co_await exchange.reply.write(part)) co_return;
    }
    (void)co_await exchange.reply.finish();
  }
  async::Task<void> stream(Exchange& exchange) {
    (void)co_await exchange.reply.start(ReplyHead(), std::nullopt);
    (void)co_await exchange.reply.write("one ");
    co_await shard_.sleep_for(1ms);
    (void)co_await exchange.reply.write("two");
    (void)co_await exchange.reply.finish();
  }
  async::Task<void> refuses(Exchange& exchange) {
    (void)co_await exchange.reply.send(ReplyHead{.status = 413}, "no");
  }
  async::Task<void> trailers(Exchange& exchange) {
    exchange.reply.give_trailers({{"X-Sum", "1"}});
    (void)co_await exchange.reply.send(ReplyHead(), "body");
  }
  async::Task<void> begun(Exchange& exchange) {
    (void)co_await exchange.reply.start(ReplyHead(), std::nullopt);
    (void)co_await exchange.reply.write("begun");
    co_await shard_.sleep_for(1h);
  }
  async::Task<void> broken(Exchange& exchange) {
    (void)co_await exchange.reply.start(ReplyHead(), std::nullopt);
    (void)co_await exchange.reply.write("part");
    exchange.reply.abort();
  }

  async::Shard& shard_;
};

// Answers what it is told, and counts the questions.
class Hosts final : public Resolver {
 public:
  std::map<std::string, std::vector<std::string>> hosts;
  int asked = 0;

  async::Task<Result<std::vector<IpAddress>>> resolve(std::string host) override {
    ++asked;
    const auto found = hosts.find(host);
    if (found == hosts.end()) co_return fail(Code::egress_name, "no such host");
    std::vector<IpAddress> addresses;
    for (const std::string& text : found->second) addresses.push_back(parse_ip(text).value());
    co_return addresses;
  }
};

struct Outcome {
  int status = 0;
  std::string body, host;
  Fields trailers;
  Error error{Code::internal, "nothing came back"};
  bool ok = false;
};

inline async::Task<void> run_call(Caller* caller, OutgoingRequest request, CallLimits limits,
                                  Outcome* outcome) {
  auto response = co_await caller->send(kTenant, std::move(request), limits);
  if (!response) {
    outcome->error = response.error();
    co_return;
  }
  outcome->status = (*response)->head().status;
  for (const auto& [name, value] : (*response)->head().headers) {
    if (name == "X-Host") outcome->host = value;
  }
  async::ByteSource& body = (*response)->body();
  std::array<std::byte, 3000> part;
  while (!body.finished()) {
    const std::size_t n = body.read(part);
    outcome->body.append(reinterpret_cast<const char*>(part.data()), n);
    if (n > 0 || body.finished()) continue;
    const auto waited = co_await body.wait();
    if (waited) continue;
    outcome->error = waited.error();
    co_return;
  }
  outcome->trailers = (*response)->trailers();
  outcome->ok = true;
}

struct Fixture {
  async::Shard shard;
  Site site{shard};
  Hosts hosts;
  std::unique_ptr<Server> server;
  std::unique_ptr<Client> client;
  CallLimits limits;

  explicit Fixture(ClientOptions options = {.policy = loopback()},
                   std::shared_ptr<TlsContext> tls = nullptr) {
    server = Server::listen(shard, site, {.tls = std::move(tls)}).value();
    server->start();
    hosts.hosts["site.test"] = {"127.0.0.1"};
    options.resolver = &hosts;
    client = std::make_unique<Client>(shard, std::move(options));
  }

  Url url(std::string_view path, std::string_view host = "site.test",
          std::string_view scheme = "http") const {
    return parse_url(std::string(scheme) + "://" + std::string(host) + ":" +
                     std::to_string(server->port()) + std::string(path))
        .value();
  }
  Outcome call(OutgoingRequest request) {
    Outcome outcome;
    shard.run_until_done(run_call(client.get(), std::move(request), limits, &outcome));
    return outcome;
  }
  Outcome get(std::string_view path) { return call({.url = url(path)}); }
};

// A peer that says what it likes: each connection gets the next answer, then the end.
class Hostile {
 public:
  explicit Hostile(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_.get(), 8);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Hostile() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::uint16_t port() const { return port_; }

 private:
  void serve() {
    for (const std::string& answer : answers_) {
      const Fd peer(::accept(listener_.get(), nullptr, nullptr));
      if (!peer) return;
      std::string seen;
      std::array<char, 4096> part;
      while (!seen.contains("\r\n\r\n")) {
        const ssize_t n = ::recv(peer.get(), part.data(), part.size(), 0);
        if (n <= 0) break;
        seen.append(part.data(), static_cast<std::size_t>(n));
      }
      std::string_view rest = answer;
      while (!rest.empty()) {
        const ssize_t n = ::send(peer.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (n <= 0) break;
        rest.remove_prefix(static_cast<std::size_t>(n));
      }
      ::shutdown(peer.get(), SHUT_WR);
      while (::recv(peer.get(), part.data(), part.size(), 0) > 0) {
      }
    }
  }

  std::vector<std::string> answers_;
  Fd listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace carrel::net::testing_client
