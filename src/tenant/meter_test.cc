#include "tenant/meter.h"

#include <gtest/gtest.h>

#include <optional>

namespace carrel::tenant {
namespace {

using std::chrono::milliseconds;

const TenantName kAcme("acme");
const AppName kShop("shop");
const ModuleName kPrice("price");

TEST(TheMeter, CountsATurnThatNobodyEndedAsAFailure) {
  Meter meter;
  {
    Account good = meter.open(kAcme, kShop, kPrice);
    good.begun();
    good.ended_well();
    Account left = meter.open(kAcme, kShop, kPrice);
    left.begun();
    Account refused = meter.open(kAcme, kShop, kPrice);
    refused.refused();
    const Account never_begun = meter.open(kAcme, kShop, kPrice);
  }
  const auto reading = meter.read();
  ASSERT_EQ(reading.size(), 1u);
  EXPECT_EQ(reading[0].second, (Spent{.turns = 2, .failures = 1, .refused = 1}));
  EXPECT_EQ(reading[0].first, (Spender{kAcme, kShop, kPrice}));
}

TEST(TheMeter, CountsAMovedAccountOnce) {
  Meter meter;
  {
    Account account = meter.open(kAcme, kShop, kPrice);
    account.begun();
    const Account moved = std::move(account);
  }
  EXPECT_EQ(meter.read()[0].second, (Spent{.turns = 1, .failures = 1}));
}

TEST(TheMeter, IsReadWhileTurnsGoOnAndMissesNothing) {
  Meter meter;
  std::optional<Account> account(meter.open(kAcme, kShop, kPrice));
  account->begun();
  account->line().ran(milliseconds(3), 2 << 20, milliseconds(5));
  account->line().received(7);
  EXPECT_EQ(meter.read()[0].second,
            (Spent{.turns = 1, .cpu = 3'000'000, .memory = 2 * 1024 * 5, .bytes_in = 7}));
  account->line().ran(milliseconds(1), 0, milliseconds(1));
  account->line().replied(9);
  account->ended_well();
  account.reset();
  EXPECT_EQ(meter.read()[0].second, (Spent{.cpu = 1'000'000, .bytes_out = 9}));
  EXPECT_TRUE(meter.read().empty());
}

TEST(TheMeter, ForgetsWhoUsedNothingSinceTheLastReading) {
  Meter meter;
  const Line* const first = &meter.open(kAcme, kShop, kPrice).line();
  meter.open(kAcme, kShop, kPrice).refused();
  EXPECT_EQ(meter.read().size(), 1u);
  EXPECT_EQ(&meter.open(kAcme, kShop, kPrice).line(), first);
  EXPECT_TRUE(meter.read().empty());
  meter.open(kAcme, kShop, kPrice).refused();
  EXPECT_EQ(meter.read()[0].second, (Spent{.refused = 1}));
}

TEST(TheMeter, ChargesTheTenantsAllowance) {
  Allowances allowances;
  allowances.set("acme", {.cpu_ms_per_second = 10});
  Meter meter(&allowances);
  const Account account = meter.open(TenantName("acme/a"), kShop, kPrice);
  account.line().ran(milliseconds(100), 0, {});
  EXPECT_GT(allowances.of("acme").cpu_rate.wait(std::chrono::steady_clock::now()), Nanos(0));
}

TEST(TheMeter, KeepsTenantsAppsAndModulesApart) {
  Meter meter;
  for (const char* name : {"a", "b"}) {
    meter.open(TenantName(name), kShop, kPrice).refused();
    meter.open(kAcme, AppName(name), kPrice).refused();
    meter.open(kAcme, kShop, ModuleName(name)).refused();
  }
  EXPECT_EQ(meter.read().size(), 6u);
}

}  // namespace
}  // namespace carrel::tenant
