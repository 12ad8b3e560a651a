#include "patterns/hook/breaker.h"

#include <gtest/gtest.h>

namespace carrel::hook {
namespace {

using namespace std::chrono_literals;

constexpr BreakerLimits kLimits{.failures = 3, .first = 10s, .longest = 35s};

struct Timeline {
  Breaker breaker{kLimits};
  Instant now{1000s};
  bool fail_often(unsigned times) {
    bool parked = false;
    for (unsigned i = 0; i < times; ++i) parked = breaker.failed(now);
    return parked;
  }
};

TEST(Breaker, LetsAModuleRunThatFailsNowAndThen) {
  Timeline t;
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(t.fail_often(2));
    t.breaker.succeeded();
    EXPECT_TRUE(t.breaker.try_enter(t.now));
  }
  EXPECT_TRUE(t.breaker.idle());
}

TEST(Breaker, ParksAfterFailuresInARow) {
  Timeline t;
  EXPECT_TRUE(t.fail_often(3));
  EXPECT_FALSE(t.breaker.idle());
  EXPECT_EQ(t.breaker.until(), t.now + 10s);
  EXPECT_FALSE(t.breaker.try_enter(t.now + 10s - 1ns));
}

TEST(Breaker, TriesOnceAndClosesOnSuccess) {
  Timeline t;
  t.fail_often(3);
  t.now += 10s;
  EXPECT_TRUE(t.breaker.try_enter(t.now));
  EXPECT_FALSE(t.breaker.try_enter(t.now));
  t.breaker.succeeded();
  EXPECT_TRUE(t.breaker.try_enter(t.now));
  EXPECT_TRUE(t.breaker.idle());
}

TEST(Breaker, ParksForLongerEachTimeATrialFails) {
  Timeline t;
  t.fail_often(3);
  for (const Nanos span : {Nanos(20s), Nanos(35s), Nanos(35s)}) {
    t.now = t.breaker.until();
    EXPECT_TRUE(t.breaker.try_enter(t.now));
    EXPECT_TRUE(t.breaker.failed(t.now));
    EXPECT_EQ(t.breaker.until(), t.now + span);
  }
}

TEST(Breaker, ATrialThatSaidNothingIsTriedAgain) {
  Timeline t;
  t.fail_often(3);
  t.now += 10s;
  EXPECT_TRUE(t.breaker.try_enter(t.now));
  t.breaker.undecided();
  EXPECT_TRUE(t.breaker.try_enter(t.now));
}

TEST(Breaker, RunsThatBeganBeforeItWasParkedDoNotParkItLonger) {
  Timeline t;
  t.fail_often(3);
  EXPECT_FALSE(t.fail_often(5));
  EXPECT_EQ(t.breaker.until(), t.now + 10s);
}

}  // namespace
}  // namespace carrel::hook
