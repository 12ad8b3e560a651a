#include "acme/conversation.h"

#include <gtest/gtest.h>

#include <memory>

namespace carrel::acme {
namespace {

using async::Task;

class Response final : public net::IncomingResponse {
 public:
  Response(net::ReplyHead head, std::string body)
      : head_(std::move(head)), body_(std::move(body)) {}
  const net::ReplyHead& head() const override { return head_; }
  async::ByteSource& body() override { return body_; }

 private:
  net::ReplyHead head_;
  async::MemorySource body_;
};

// A server that takes the account, after it has refused so many nonces, and no order.
class FakeServer final : public net::Caller {
 public:
  Task<Result<std::unique_ptr<net::IncomingResponse>>> send(TenantName,
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
    co_return std::make_unique<Response>(std::move(head), std::move(body));
  }
  int refuses = 0, refused = 0, posts = 0, asked_for_nonces = 0, nonces = 0;
};

class AConversation : public testing::Test {
 protected:
  Task<void> order(Result<std::string>* out) {
    *out = co_await conversation.order("a.example", Key::make().value());
  }
  // What the server said last.
  std::string said() {
    Result<std::string> chain = fail(Code::internal);
    shard.run_until_done(order(&chain));
    return chain ? "a certificate" : chain.error().message();
  }
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

TEST_F(AConversation, TakesItEasyWhenNoncesAreRefused) {
  server.refuses = 9;
  EXPECT_TRUE(said().contains("rejectedIdentifier"));
  EXPECT_EQ(server.posts, 11);
  EXPECT_EQ(server.asked_for_nonces, 1);  // a refusal brings the next one
}

TEST_F(AConversation, EndsWhenEveryNonceIsRefused) {
  server.refuses = 1'000'000;
  EXPECT_TRUE(said().contains("badNonce"));
  EXPECT_EQ(server.posts, 10);
}

}  // namespace
}  // namespace carrel::acme
