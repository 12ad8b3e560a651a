// What tests of the API share: an API on a store of its own, and requests to it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/api.h"
#include "net/memory_reply.h"
#include "store/database_test_support.h"
#include "store/sealer.h"

namespace carrel::api {

inline constexpr std::string_view kTestToken = "a-token-of-at-least-thirty-two-characters";

class FakeNode final : public Node {
 public:
  std::shared_ptr<const NodeInfo> info() const override {
    return std::make_shared<NodeInfo>(info_);
  }
  Readiness readiness() const override { return readiness_; }
  const DeployedIndex* deployed() const override { return deployed_; }
  LogTail* log_tail() const override { return log_tail_; }
  std::string metrics() const override { return "up 1\n"; }
  NodeInfo info_{.version = "1.2.3", .shards = 2, .apps = {{.name = "shop", .tenant = "shop"}}};
  Readiness readiness_ = Readiness::ready;
  LogTail* log_tail_ = nullptr;
  const DeployedIndex* deployed_ = nullptr;
};

class ApiFixture : public store::DatabaseFixture {
 protected:
  ApiFixture() {
    store::StoreOptions how;
    how.folder = folder;
    how.cache_bytes = 8 << 20;
    store = std::move(*store::Store::open(how));
    services.store = &store->attach(shard);
    gate = std::make_unique<turn::OutputGate>(*services.store);
    services.gate = gate.get();
    services.sealer = &sealer;
    api.serve_state(services);
    request.method = "GET";
    request.path = "/v1/status";
    request.host = "127.0.0.1:3001";
    request.scheme = "http";
    request.remote_address = "127.0.0.1";
    with("authorization", "Bearer a-token-of-at-least-thirty-two-characters");
  }
  ~ApiFixture() override {
    serve_what_goes_on();
    gate.reset();
    store->stop();
    store.reset();
  }

  void with(std::string_view name, std::string_view value) {
    request.headers.push_back({name, value});
  }
  // As a server does before it stops: until nothing outlives its request any more.
  void serve_what_goes_on() {
    while (api.busy()) shard.run_until_done(shard.sleep_for(std::chrono::milliseconds(1)));
  }
  // Asks, and keeps the answer.
  int status() {
    async::MemorySource body(sent);
    reply = std::make_unique<net::MemoryReply>();
    net::Exchange exchange{.request = request, .body = body, .reply = *reply, .id = ++asked};
    shard.run_until_done(api.handle(exchange));
    return reply->head().status;
  }
  int ask(std::string_view method, std::string_view path, std::string body = {}) {
    request.method = method;
    const auto query = path.find('?');
    request.path = path.substr(0, query);
    request.query = query == std::string_view::npos ? "" : path.substr(query + 1);
    sent = std::move(body);
    return status();
  }
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : reply->head().headers) {
      if (key == name) return value;
    }
    return "";
  }

  FakeNode node;
  async::Shard shard;
  const NodeKey key{};
  store::Sealer sealer{key};
  std::unique_ptr<store::Store> store;
  std::unique_ptr<turn::OutputGate> gate;
  turn::Services services;
  Api api{node, Guard({"carrel.example"}), Authenticator(LocalToken(kTestToken)), system_clock()};
  std::uint64_t asked = 0;
  net::Request request;
  std::string sent;
  std::unique_ptr<net::MemoryReply> reply;
};

}  // namespace carrel::api
