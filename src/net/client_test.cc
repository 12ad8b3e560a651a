#include "net/client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <map>
#include <thread>

#include "async/event.h"
#include "async/first_of.h"
#include "base/fd.h"
#include "net/server.h"
#include "net/test_certificate.h"

namespace carrel::net {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const TenantName kTenant("acme");

EgressPolicy loopback() { return {.allowed = {parse_range("127.0.0.0/8").value()}}; }

class Site final : public Handler {
 public:
  explicit Site(async::Shard& shard) : shard_(shard) {}
  std::vector<std::uint16_t> ports;  // of the clients
  std::string last_body;
  async::Event arrived;  // a call that is never answered

  async::Task<void> handle(Exchange& exchange) override {
    ports.push_back(exchange.request.remote_port);
    if (exchange.request.path == "/never") return never();
    if (exchange.request.path == "/big") return big(exchange);
    if (exchange.request.path == "/stream") return stream(exchange);
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
    while (!exchange.body.finished()) {
      const std::size_t n = exchange.body.read(part);
      last_body.append(reinterpret_cast<const char*>(part.data()), n);
      if (n == 0 && !exchange.body.finished() && !co_await exchange.body.wait()) co_return;
    }
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
    if (found == hosts.end()) co_return fail(Code::egress_failed, "no such host");
    std::vector<IpAddress> addresses;
    for (const std::string& text : found->second) addresses.push_back(parse_ip(text).value());
    co_return addresses;
  }
};

struct Outcome {
  int status = 0;
  std::string body, host;
  Error error{Code::internal, "nothing came back"};
  bool ok = false;
};

async::Task<void> run_call(Caller* caller, OutgoingRequest request, CallLimits limits,
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

TEST(Client, SendsARequestAndReadsTheResponse) {
  Fixture f;
  const Outcome outcome = f.get("/a?b");
  ASSERT_TRUE(outcome.ok) << outcome.error.message();
  EXPECT_EQ(outcome.status, 201);
  EXPECT_EQ(outcome.body, "hello /a?b");
  EXPECT_EQ(outcome.host, "site.test:" + std::to_string(f.server->port()));
}

TEST(Client, SendsALargeBody) {
  Fixture f;
  const std::string body(3 << 20, 'b');
  const Outcome outcome = f.call({.method = "POST", .url = f.url("/"), .body = body});
  ASSERT_TRUE(outcome.ok) << outcome.error.message();
  EXPECT_EQ(f.site.last_body, body);
}

TEST(Client, ReadsBodiesOfEveryFraming) {
  Fixture f;
  EXPECT_EQ(f.get("/stream").body, "one two");
  EXPECT_EQ(f.get("/big").body.size(), 5'000'000U);
  const Outcome head = f.call({.method = "HEAD", .url = f.url("/")});
  EXPECT_TRUE(head.ok);
  EXPECT_EQ(head.body, "");
}

TEST(Client, ABodyThatBreaksOffIsAnErrorAndNoEnd) {
  Fixture f;
  const Outcome outcome = f.get("/broken");
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.error.code(), Code::egress_failed);
}

TEST(Client, KeepsAConnectionForTheSameTenantAndOrigin) {
  Fixture f;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(f.get("/").ok);
  EXPECT_EQ(f.site.ports[0], f.site.ports[1]);
  EXPECT_EQ(f.site.ports[1], f.site.ports[2]);
  EXPECT_EQ(f.hosts.asked, 1);
}

TEST(Client, AKeptConnectionThatWasClosedIsReplaced) {
  Fixture f;
  EXPECT_TRUE(f.get("/").ok);
  const std::uint16_t port = f.server->port();
  f.shard.run_until_done(f.server->drain(0ms));
  f.server = Server::listen(f.shard, f.site, {.port = port}).value();
  f.server->start();
  EXPECT_TRUE(f.get("/").ok);
}

TEST(Client, WithoutLeaveLoopbackIsNotCalled) {
  Fixture f({});
  for (const auto* host : {"site.test", "127.0.0.1"}) {
    const Outcome outcome = f.call({.url = f.url("/", host)});
    EXPECT_EQ(outcome.error.code(), Code::egress_denied);
    EXPECT_THAT(outcome.error.message(), HasSubstr("127.0.0.1 is loopback"));
  }
  EXPECT_TRUE(f.site.ports.empty());
}

TEST(Client, OneRefusedAnswerAmongOthersFailsTheCall) {
  Fixture f;
  f.hosts.hosts["mixed.test"] = {"127.0.0.1", "10.0.0.1"};
  const Outcome outcome = f.call({.url = f.url("/", "mixed.test")});
  EXPECT_EQ(outcome.error.code(), Code::egress_denied);
  EXPECT_THAT(outcome.error.message(), HasSubstr("10.0.0.1"));
  EXPECT_TRUE(f.site.ports.empty());
}

TEST(Client, OwnListenersAreNotCalledEvenWithLeave) {
  EgressPolicy policy = loopback();
  Fixture f;
  policy.own_listeners = {{parse_ip("0.0.0.0").value(), f.server->port()}};
  f.client =
      std::make_unique<Client>(f.shard, ClientOptions{.policy = policy, .resolver = &f.hosts});
  EXPECT_EQ(f.get("/").error.code(), Code::egress_denied);
}

TEST(Client, AnAddressThatDoesNotAnswerIsPassedOver) {
  Fixture f;
  f.hosts.hosts["two.test"] = {"127.0.0.2", "127.0.0.1"};  // nobody listens at the first
  EXPECT_TRUE(f.call({.url = f.url("/", "two.test")}).ok);
}

TEST(Client, ANameThatIsNotFoundFailsTheCall) {
  Fixture f;
  EXPECT_EQ(f.call({.url = f.url("/", "nowhere.test")}).error.code(), Code::egress_failed);
}

TEST(Client, RefusesARequestThatCouldBecomeTwo) {
  Fixture f;
  const Outcome outcome =
      f.call({.url = f.url("/"), .headers = {{"A", "b\r\n\r\nGET /evil HTTP/1.1"}}});
  EXPECT_EQ(outcome.error.code(), Code::invalid_argument);
  EXPECT_EQ(f.call({.method = "CONNECT", .url = f.url("/")}).error.code(), Code::invalid_argument);
  EXPECT_TRUE(f.site.ports.empty());
}

TEST(Client, GivesUpWhenTheTimeIsOver) {
  Fixture f;
  f.limits.total = 50ms;
  const Outcome outcome = f.get("/never");
  EXPECT_EQ(outcome.error.code(), Code::egress_failed);
  EXPECT_THAT(outcome.error.message(), HasSubstr("too long"));
}

TEST(Client, GivesUpAResponseThatIsTooLarge) {
  Fixture f;
  f.limits.response_bytes = 100'000;
  const Outcome outcome = f.get("/big");
  EXPECT_EQ(outcome.error.code(), Code::egress_failed);
  EXPECT_EQ(outcome.body.size(), 100'000U);
}

async::Task<void> wait_for(async::Event* event) { co_await *event; }

TEST(Client, ADestroyedCallIsCancelledAndItsPlaceIsFree) {
  Fixture f({.policy = loopback(), .connections_a_tenant = 1});
  Outcome outcome;
  f.shard.run_until_done([](Fixture* f, Outcome* outcome) -> async::Task<void> {
    (void)co_await async::first_of(
        run_call(f->client.get(), {.url = f->url("/never")}, f->limits, outcome),
        wait_for(&f->site.arrived));
  }(&f, &outcome));
  EXPECT_FALSE(outcome.ok);
  EXPECT_TRUE(f.get("/").ok);
}

TEST(Client, CallsBeyondATenantsShareWaitInLine) {
  Fixture f({.policy = loopback(), .connections_a_tenant = 1});
  Outcome first, second;
  f.shard.run_until_done([](Fixture* f, Outcome* first, Outcome* second) -> async::Task<void> {
    auto a = run_call(f->client.get(), {.url = f->url("/stream")}, f->limits, first);
    auto b = run_call(f->client.get(), {.url = f->url("/stream")}, f->limits, second);
    a.start();
    b.start();
    while (!a.done() || !b.done()) co_await f->shard.sleep_for(1ms);
  }(&f, &first, &second));
  EXPECT_TRUE(first.ok);
  EXPECT_TRUE(second.ok);
  EXPECT_EQ(f.site.ports[0], f.site.ports[1]);
}

TEST(Client, WhoWaitsInLineTooLongGivesUp) {
  Fixture f({.policy = loopback(), .connections_a_tenant = 1});
  Outcome first, second;
  f.shard.run_until_done([](Fixture* f, Outcome* first, Outcome* second) -> async::Task<void> {
    auto a = run_call(f->client.get(), {.url = f->url("/never")}, f->limits, first);
    a.start();
    co_await f->site.arrived;
    co_await run_call(f->client.get(), {.url = f->url("/")}, {.total = 20ms}, second);
  }(&f, &first, &second));
  EXPECT_THAT(second.error.message(), HasSubstr("too many calls"));
}

TEST(Client, AResponseMayOutliveItsClient) {
  Fixture f;
  std::unique_ptr<IncomingResponse> response;
  f.shard.run_until_done(
      [](Fixture* f, std::unique_ptr<IncomingResponse>* into) -> async::Task<void> {
        auto sent = co_await f->client->send(kTenant, {.url = f->url("/big")}, f->limits);
        if (sent) *into = std::move(*sent);
      }(&f, &response));
  ASSERT_TRUE(response);
  f.client.reset();
  response.reset();
}

struct Secure : Fixture {
  explicit Secure(const TestCertificate& certificate, const TestCertificate& trusted)
      : Fixture({.policy = loopback(), .tls = load_client_tls(trusted.files().certificate).value()},
                load_tls(certificate.files()).value()) {
    hosts.hosts["localhost"] = {"127.0.0.1"};
  }
};

TEST(ClientTls, CallsAHostWhoseCertificateIsItsOwnAndTrusted) {
  const TestCertificate certificate;
  Secure f(certificate, certificate);
  for (const auto* host : {"localhost", "127.0.0.1"}) {
    const Outcome outcome = f.call({.url = f.url("/big", host, "https")});
    EXPECT_TRUE(outcome.ok) << outcome.error.message();
    EXPECT_EQ(outcome.body.size(), 5'000'000U);
  }
  EXPECT_TRUE(f.call({.url = f.url("/", "localhost", "https")}).ok);
  EXPECT_EQ(f.site.ports[0], f.site.ports[2]);
  const std::string body(3 << 20, 'b');
  EXPECT_TRUE(f.call({.method = "PUT", .url = f.url("/", "localhost", "https"), .body = body}).ok);
  EXPECT_EQ(f.site.last_body, body);
}

TEST(ClientTls, RefusesAnotherHostsCertificate) {
  const TestCertificate certificate;
  Secure f(certificate, certificate);
  const Outcome outcome = f.call({.url = f.url("/", "site.test", "https")});
  EXPECT_EQ(outcome.error.code(), Code::egress_failed);
  EXPECT_THAT(outcome.error.message(), HasSubstr("hostname mismatch"));
  EXPECT_TRUE(f.site.ports.empty());
}

TEST(ClientTls, RefusesACertificateThatNobodyTrusts) {
  const TestCertificate certificate, other;
  Secure f(certificate, other);
  const Outcome outcome = f.call({.url = f.url("/", "localhost", "https")});
  EXPECT_EQ(outcome.error.code(), Code::egress_failed);
  EXPECT_TRUE(f.site.ports.empty());
}

TEST(ClientTls, RootsThatCannotBeReadAreNamed) {
  EXPECT_THAT(load_client_tls("/nowhere.pem").error().message(), HasSubstr("/nowhere.pem"));
  EXPECT_TRUE(load_client_tls(""));
}

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

Outcome call_hostile(std::string answer) {
  Hostile hostile({std::move(answer)});
  Fixture f;
  OutgoingRequest request{.url = f.url("/")};
  request.url.port = hostile.port();
  return f.call(std::move(request));
}

TEST(ClientAndHostilePeers, AResponseThatIsNoneFailsTheCall) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string answers[] = {
      "",
      "\r\n\r\n",
      "garbage",
      "SSH-2.0-x\r\n\r\n",
      std::string(200'000, 'x'),
      ok + std::string(200'000, 'x'),
      ok,
      ok + "A: b\n\n",
      ok + "Content-Length: 5\r\n\r\nshor",
      ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
      ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 101 Switching\r\n\r\n",
      std::string("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", 27)};
  for (const std::string& answer : answers) {
    const Outcome outcome = call_hostile(answer);
    EXPECT_FALSE(outcome.ok) << answer.substr(0, 80);
    EXPECT_EQ(outcome.error.code(), Code::egress_failed) << answer.substr(0, 80);
  }
  std::string interim;
  for (int i = 0; i < 100; ++i) interim += "HTTP/1.1 103 Early\r\n\r\n";
  EXPECT_FALSE(call_hostile(interim + ok + "Content-Length: 0\r\n\r\n").ok);
}

TEST(ClientAndHostilePeers, WhatIsUnusualButClearIsRead) {
  EXPECT_EQ(call_hostile("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200\r\n\r\nall of it").body,
            "all of it");
  EXPECT_EQ(call_hostile("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\n"
                         "Trailer: x\r\n\r\n")
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

async::Task<void> resolve(Resolver* resolver, std::string host,
                          Result<std::vector<IpAddress>>* into) {
  *into = co_await resolver->resolve(std::move(host));
}

TEST(SystemResolver, KnowsThisHost) {
  async::Shard shard;
  SystemResolver resolver(shard);
  Result<std::vector<IpAddress>> answer;
  shard.run_until_done(resolve(&resolver, "localhost", &answer));
  ASSERT_TRUE(answer);
  const EgressPolicy policy;
  for (const IpAddress& address : *answer) EXPECT_TRUE(policy.refusal(address, 80));
}

TEST(SystemResolver, NobodyWaitsForAQuestionThatWasGivenUp) {
  auto shard = std::make_unique<async::Shard>();
  Result<std::vector<IpAddress>> answer;
  {
    SystemResolver resolver(*shard);
    auto question = resolve(&resolver, "localhost", &answer);
    question.start();
  }
  shard.reset();
}

}  // namespace
}  // namespace carrel::net
