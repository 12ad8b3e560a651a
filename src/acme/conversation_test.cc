#include "acme/conversation.h"

#include <gtest/gtest.h>

#include "acme/test_server.h"

namespace carrel::acme {
namespace {

using async::Task;

class AConversation : public testing::Test, protected FakeWorld {
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
