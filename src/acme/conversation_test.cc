#include "acme/conversation.h"

#include <gtest/gtest.h>

#include "acme/test_server.h"

namespace carrel::acme {
namespace {

using async::Task;

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
