// An ACME server for tests of who speaks to one: it takes accounts, and no order.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "net/caller.h"

namespace carrel::acme {

class MemoryResponse final : public net::IncomingResponse {
 public:
  MemoryResponse(net::ReplyHead head, std::string body)
      : head_(std::move(head)), body_(std::move(body)) {}
  const net::ReplyHead& head() const override { return head_; }
  async::ByteSource& body() override { return body_; }

 private:
  net::ReplyHead head_;
  async::MemorySource body_;
};

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
    co_return std::make_unique<MemoryResponse>(std::move(head), std::move(body));
  }
  int refuses = 0, refused = 0, posts = 0, asked_for_nonces = 0, nonces = 0;
};

}  // namespace carrel::acme
