#include "net/client_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carrel::net {
namespace {

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

TEST(SystemResolver, SaysWhatNobodyKnows) {
  async::Shard shard;
  SystemResolver resolver(shard);
  Result<std::vector<IpAddress>> answer;
  shard.run_until_done(resolve(&resolver, std::string(70, 'a') + ".invalid", &answer));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().code(), testing::AnyOf(Code::egress_name, Code::egress_failed));
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
