// An ACME server for tests of who speaks to one: it takes accounts, and no order.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "acme/conversation.h"
#include "net/memory_response.h"

namespace carrel::acme {

// Refuses so many nonces first.
class FakeServer final : public net::Caller {
 public:
  async::Task<Result<std::unique_ptr<net::IncomingResponse>>> send(TenantName,
                                                                   net::OutgoingRequest request,
                                                                   net::CallLimits) override {
    net::ReplyHead head{.headers = {{"replay-nonce", std::to_string(++nonces)}}};
    std::string body;
    if (request.url.target == "/dir") {
      body =
          R"({"newNonce":"https://acme.example/n","newAccount":"https://acme.example/a",
              "newOrder":"https://acme.example/o"})";
      head.headers.clear();
    } else if (request.url.target == "/n") {
      ++asked_for_nonces;
    } else if (++posts; refused < refuses) {
      ++refused;
      head.status = 400;
      body = R"({"type":"urn:ietf:params:acme:error:badNonce","detail":"unknown"})";
    } else if (request.url.target == "/a") {
      head.status = 201;
      head.headers.emplace_back("location", "https://acme.example/a/1");
    } else {
      head.status = 403;
      body = R"({"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"no"})";
    }
    co_return std::make_unique<net::MemoryResponse>(std::move(head), std::move(body));
  }
  int refuses = 0, refused = 0, posts = 0, asked_for_nonces = 0, nonces = 0;
};

// Who speaks to it.
struct FakeWorld {
  async::Shard shard;
  FakeServer server;
  Challenges challenges;
  Conversation conversation{
      shard, server, challenges,
      Server{
          .directory = {.scheme = "https", .host = "acme.example", .port = 443, .target = "/dir"},
          .contact = "",
          .terms = Terms::agreed},
      Key::make().value()};
};

}  // namespace carrel::acme
