#include "server/tenant_jobs.h"

#include <gtest/gtest.h>

#include <vector>

namespace carrel::server {
namespace {

class TenantJobsTest : public ::testing::Test {
 protected:
  bool add(const char* tenant, int number) {
    return jobs_.add(TenantName(tenant), [this, number] { ran_.push_back(number); });
  }
  // Runs the next job; the tenant it was of, or nothing.
  std::string run() {
    auto taken = jobs_.take();
    if (!taken) return "";
    taken->job();
    return taken->tenant;
  }
  TenantJobs jobs_;
  std::vector<int> ran_;
};

TEST_F(TenantJobsTest, TenantsTakeTurns) {
  for (const int number : {1, 2, 3}) EXPECT_TRUE(add("greedy", number));
  EXPECT_TRUE(add("other", 4));
  for (int i = 0; i < 4; ++i) {
    const std::string tenant = run();
    ASSERT_NE(tenant, "");
    jobs_.done(tenant);
  }
  EXPECT_EQ(ran_, (std::vector{1, 4, 2, 3}));
  EXPECT_EQ(run(), "");
}

TEST_F(TenantJobsTest, ATenantAndAllBelowItHaveOneJobInProgress) {
  EXPECT_TRUE(add("acme", 1));
  EXPECT_TRUE(add("acme/a", 2));
  EXPECT_TRUE(add("acme/b", 3));
  EXPECT_TRUE(add("acmeother", 4));
  EXPECT_EQ(run(), "acme");
  EXPECT_EQ(run(), "acmeother");
  EXPECT_EQ(run(), "") << "two are in progress, and all that wait are below one of them";
  jobs_.done("acme");
  EXPECT_EQ(run(), "acme");
  EXPECT_EQ(ran_, (std::vector{1, 4, 2}));
}

TEST_F(TenantJobsTest, WhatATenantMayHaveWaitingIsBounded) {
  for (std::size_t i = 0; i < TenantJobs::kMostWaiting; ++i) EXPECT_TRUE(add("greedy", 0));
  EXPECT_FALSE(add("greedy/child", 0));
  EXPECT_TRUE(add("other", 0));
  EXPECT_EQ(run(), "greedy");
  EXPECT_TRUE(add("greedy", 0));
}

TEST_F(TenantJobsTest, WhatWaitsCanBeLeft) {
  EXPECT_TRUE(add("a", 1));
  EXPECT_TRUE(add("a", 2));
  EXPECT_EQ(run(), "a");
  jobs_.clear();
  jobs_.done("a");
  EXPECT_EQ(run(), "");
  EXPECT_EQ(ran_, (std::vector{1}));
}

}  // namespace
}  // namespace carrel::server
