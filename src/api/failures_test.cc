#include "api/failures.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace carrel::api {
namespace {

using std::chrono::seconds;

TEST(TheLimitOfFailures, StopsAnAddressAndNoOtherUntilTimeHasPassed) {
  FailureLimit limit;
  const Instant now{};
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(limit.allows("10.0.0.1", now));
    limit.count("10.0.0.1", now);
  }
  EXPECT_FALSE(limit.allows("10.0.0.1", now));
  EXPECT_TRUE(limit.allows("10.0.0.2", now));
  EXPECT_FALSE(limit.allows("10.0.0.1", now + std::chrono::milliseconds(900)));
  EXPECT_TRUE(limit.allows("10.0.0.1", now + seconds(1)));
}

TEST(TheLimitOfFailures, TakesAnIpv6NetworkForOneAddress) {
  FailureLimit limit;
  for (int i = 0; i < 100; ++i) limit.count(fmt::format("2001:db8::{:x}", i), Instant{});
  EXPECT_FALSE(limit.allows("2001:db8::ffff", Instant{}));
  EXPECT_TRUE(limit.allows("2001:db8:0:1::1", Instant{}));
}

TEST(TheLimitOfFailures, RemembersABoundedNumberAndTheWorstOfThem) {
  FailureLimit limit;
  for (int i = 0; i < 100; ++i) limit.count("worst", Instant{});
  for (int i = 0; i < 5000; ++i) limit.count(fmt::format("a{}", i), Instant{});
  EXPECT_LE(limit.addresses(), FailureLimit::kMostAddresses);
  EXPECT_FALSE(limit.allows("worst", Instant{}));
  limit.count("later", Instant{} + seconds(1000));
  EXPECT_EQ(limit.addresses(), 1U);
}

}  // namespace
}  // namespace carrel::api
