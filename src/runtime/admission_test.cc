#include "runtime/admission.h"

#include <gtest/gtest.h>

#include "async/event.h"

namespace carrel::runtime {
namespace {

using std::chrono::milliseconds;

struct Fixture {
  async::Shard shard;
  Admission admission;
  explicit Fixture(AdmissionLimits limits) : admission(shard, limits) {}
};

async::Task<void> enter(Admission& admission, TenantName tenant,
                        std::optional<Result<Admission::Ticket>>* out) {
  out->emplace(co_await admission.enter(std::move(tenant)));
}

async::Task<void> pause(async::Shard& shard) { co_await shard.sleep_for(milliseconds(5)); }

TEST(Admission, LetsATenantHoldItsShareAndLeavesTheRestToOthers) {
  Fixture f({.turns = 3, .turns_a_tenant = 2});
  auto a = f.admission.try_enter(TenantName("a"));
  auto b = f.admission.try_enter(TenantName("a"));
  EXPECT_TRUE(a && b);
  EXPECT_FALSE(f.admission.try_enter(TenantName("a")));
  auto c = f.admission.try_enter(TenantName("b"));
  EXPECT_TRUE(c);
  EXPECT_FALSE(f.admission.try_enter(TenantName("c")));
  c.reset();
  EXPECT_TRUE(f.admission.try_enter(TenantName("c")));
}

TEST(Admission, GivesAFreedPlaceToWhoWaits) {
  Fixture f({.turns = 1, .turns_a_tenant = 1});
  auto first = f.admission.try_enter(TenantName("a"));
  std::optional<Result<Admission::Ticket>> second;
  auto waiting = enter(f.admission, TenantName("a"), &second);
  waiting.start();
  f.shard.run_until_done(pause(f.shard));
  EXPECT_FALSE(second.has_value());
  first.reset();
  f.shard.run_until_done(pause(f.shard));
  ASSERT_TRUE(second.has_value());
  EXPECT_TRUE(second->has_value());
  EXPECT_EQ(f.admission.running(), 1u);
}

TEST(Admission, RefusesATenantWhoseLineIsFull) {
  Fixture f({.turns = 2, .turns_a_tenant = 1, .waiting_a_tenant = 0});
  auto first = f.admission.try_enter(TenantName("a"));
  std::optional<Result<Admission::Ticket>> second;
  f.shard.run_until_done(enter(f.admission, TenantName("a"), &second));
  ASSERT_FALSE(second->has_value());
  EXPECT_EQ(second->error().code(), Code::too_many_requests);
}

TEST(Admission, RefusesWhoHasWaitedLongEnough) {
  Fixture f({.turns = 1, .turns_a_tenant = 1, .longest_wait = milliseconds(10)});
  auto first = f.admission.try_enter(TenantName("a"));
  std::optional<Result<Admission::Ticket>> second;
  f.shard.run_until_done(enter(f.admission, TenantName("b"), &second));
  ASSERT_FALSE(second->has_value());
  EXPECT_EQ(second->error().code(), Code::overloaded);
}

TEST(Admission, ForgetsACancelledWaiterAndFreesAPlaceItWasGiven) {
  Fixture f({.turns = 1, .turns_a_tenant = 1});
  auto first = f.admission.try_enter(TenantName("a"));
  std::optional<Result<Admission::Ticket>> second;
  {
    auto waiting = enter(f.admission, TenantName("a"), &second);
    waiting.start();
    first.reset();  // granted, but not yet resumed by the run queue
    EXPECT_EQ(f.admission.running(), 1u);
  }
  EXPECT_EQ(f.admission.running(), 0u);
  EXPECT_TRUE(f.admission.try_enter(TenantName("a")));
}

}  // namespace
}  // namespace carrel::runtime
