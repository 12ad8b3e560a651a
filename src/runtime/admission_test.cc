#include "runtime/admission.h"

#include <gtest/gtest.h>

#include <vector>

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
                        std::optional<Result<Admission::Ticket>>* out, Demand demand = {}) {
  out->emplace(co_await admission.enter(std::move(tenant), demand));
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

TEST(Admission, ATurnMayTakeMorePlacesAndWhatItLeavesIsForAsMany) {
  Fixture f({.turns = 4, .turns_a_tenant = 3});
  auto two = f.admission.try_enter(TenantName("a"), {.places = 2});
  ASSERT_TRUE(two);
  EXPECT_EQ(f.admission.taken(), 2u);
  EXPECT_FALSE(f.admission.try_enter(TenantName("a"), {.places = 2})) << "beyond its share";
  EXPECT_FALSE(f.admission.try_enter(TenantName("b"), {.places = 3}));
  auto others = f.admission.try_enter(TenantName("b"), {.places = 2});
  ASSERT_TRUE(others);
  std::optional<Result<Admission::Ticket>> c, d;
  auto first = enter(f.admission, TenantName("c"), &c);
  auto second = enter(f.admission, TenantName("d"), &d);
  first.start();
  second.start();
  f.shard.run_until_done(pause(f.shard));
  EXPECT_FALSE(c || d);
  two.reset();
  f.shard.run_until_done(pause(f.shard));
  EXPECT_TRUE(c && d);
  EXPECT_EQ(f.admission.taken(), 4u);
  others.reset();
  c.reset();
  d.reset();
  EXPECT_TRUE(f.admission.try_enter(TenantName("a"), {.places = 3})) << "all of its share";
}

TEST(Admission, RefusesWhatATenantsShareIsTooSmallFor) {
  Fixture f({.turns = 4, .turns_a_tenant = 1});
  EXPECT_FALSE(f.admission.try_enter(TenantName("a"), {.places = 4}));
  std::optional<Result<Admission::Ticket>> out;
  f.shard.run_until_done(enter(f.admission, TenantName("a"), &out, {.places = 4}));
  ASSERT_FALSE(out->has_value());
  EXPECT_EQ(out->error().code(), Code::module_too_large);
  EXPECT_TRUE(out->error().message().contains("takes 4 places"));
  EXPECT_EQ(f.admission.taken(), 0u);
  EXPECT_TRUE(f.admission.try_enter(TenantName("a")));
}

// Full of turns of one place each, of a to d.
struct FullOfSingles : Fixture {
  explicit FullOfSingles(Nanos passed_over)
      : Fixture({.turns = 4,
                 .turns_a_tenant = 2,
                 .longest_wait = std::chrono::minutes(1),
                 .passed_over = passed_over}) {
    for (const char* name : {"a", "b", "c", "d"})
      running.push_back(std::move(*admission.try_enter(TenantName(name))));
  }
  void leave() { running.pop_back(); }
  void rest() { shard.run_until_done(pause(shard)); }
  std::vector<Admission::Ticket> running;
};

TEST(Admission, HoldsFreePlacesForWhoHasWaitedForSeveral) {
  FullOfSingles f(milliseconds(1));
  std::optional<Result<Admission::Ticket>> wide, single;
  auto first = enter(f.admission, TenantName("w"), &wide, {.places = 2});
  auto second = enter(f.admission, TenantName("x"), &single);
  first.start();
  f.rest();
  second.start();
  f.leave();
  f.rest();
  EXPECT_FALSE(wide || single);
  EXPECT_FALSE(f.admission.try_enter(TenantName("y"))) << "the place is held";
  EXPECT_EQ(f.admission.taken(), 3u);
  f.leave();
  f.rest();
  EXPECT_TRUE(wide && wide->has_value());
  EXPECT_FALSE(single);
  f.leave();
  f.rest();
  EXPECT_TRUE(single && single->has_value());
  EXPECT_EQ(f.admission.taken(), 4u);
}

TEST(Admission, LetsSinglePlacesPassBeforeThat) {
  FullOfSingles f(std::chrono::minutes(1));
  std::optional<Result<Admission::Ticket>> wide, single;
  auto first = enter(f.admission, TenantName("w"), &wide, {.places = 2});
  auto second = enter(f.admission, TenantName("x"), &single);
  first.start();
  second.start();
  f.leave();
  f.rest();
  EXPECT_FALSE(wide);
  EXPECT_TRUE(single && single->has_value());
}

TEST(Admission, HoldsNothingForWhoseTenantHasNoRoomItself) {
  FullOfSingles f(milliseconds(1));
  std::optional<Result<Admission::Ticket>> wide, single;
  auto first = enter(f.admission, TenantName("a"), &wide, {.places = 2});
  auto second = enter(f.admission, TenantName("x"), &single);
  first.start();
  second.start();
  f.rest();
  f.leave();
  f.rest();
  EXPECT_FALSE(wide) << "one of a's two places is taken";
  EXPECT_TRUE(single && single->has_value());
}

TEST(Admission, HoldsNothingAnyMoreForWhoHasGivenUp) {
  FullOfSingles f(milliseconds(1));
  std::optional<Result<Admission::Ticket>> wide, single;
  auto second = enter(f.admission, TenantName("x"), &single);
  {
    auto first = enter(f.admission, TenantName("w"), &wide, {.places = 2});
    first.start();
    f.rest();
    second.start();
    f.leave();
    f.rest();
    EXPECT_FALSE(single);
  }
  EXPECT_TRUE(f.admission.try_enter(TenantName("y")));
  for (int i = 0; i < 100 && !single; ++i) f.rest();
  EXPECT_TRUE(single && single->has_value());
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

TEST(Admission, HoldsATenantToItsQuotasAndLetsOthersIn) {
  Fixture f({.turns = 10, .turns_a_tenant = 5, .longest_wait = milliseconds(30)});
  tenant::Allowances quotas;
  quotas.set("acme", {.concurrent_turns = 1});
  const Demand a{.allowance = &quotas.of("acme/a")}, b{.allowance = &quotas.of("acme/b")};
  const Demand beside{.allowance = &quotas.of("beside")};
  auto first = f.admission.try_enter(TenantName("acme/a"), a);
  ASSERT_TRUE(first);
  EXPECT_FALSE(f.admission.try_enter(TenantName("acme/b"), b));
  EXPECT_TRUE(f.admission.try_enter(TenantName("beside"), beside));
  std::optional<Result<Admission::Ticket>> second;
  f.shard.run_until_done(enter(f.admission, TenantName("acme/b"), &second, b));
  ASSERT_FALSE(second->has_value());
  EXPECT_EQ(second->error().code(), Code::too_many_requests);
  EXPECT_TRUE(second->error().message().contains("concurrent_turns"));
  first.reset();
  EXPECT_TRUE(f.admission.try_enter(TenantName("acme/b"), b));
}

TEST(Admission, RefusesAtOnceWhatWillHaveNoRoomInTime) {
  Fixture f({.turns = 10, .turns_a_tenant = 5});
  tenant::Allowances quotas;
  quotas.set("acme", {.memory_bytes = 10});
  const Demand demand{.allowance = &quotas.of("acme"), .memory = 11};
  std::optional<Result<Admission::Ticket>> out;
  const Instant begin = std::chrono::steady_clock::now();
  f.shard.run_until_done(enter(f.admission, TenantName("acme"), &out, demand));
  ASSERT_FALSE(out->has_value());
  EXPECT_EQ(out->error().code(), Code::too_many_requests);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST(Admission, LetsWaitersOfARateInAsTheirTimeComes) {
  Fixture f({.turns = 10, .turns_a_tenant = 5});
  tenant::Allowances quotas;
  quotas.set("acme", {.turns_per_second = 100});
  tenant::Allowance& acme = quotas.of("acme");
  for (int i = 0; i < 100; ++i) acme.turn_rate.take(1, std::chrono::steady_clock::now());
  std::optional<Result<Admission::Ticket>> one, two, three;
  auto first = enter(f.admission, TenantName("acme"), &one, {.allowance = &acme});
  auto second = enter(f.admission, TenantName("acme"), &two, {.allowance = &acme});
  auto third = enter(f.admission, TenantName("acme"), &three, {.allowance = &acme});
  first.start();
  second.start();
  third.start();
  EXPECT_FALSE(one || two || three);
  while (!three) {
    f.shard.run_until_done(pause(f.shard));
    EXPECT_TRUE(!two || one);
    EXPECT_TRUE(!three || two);
  }
  EXPECT_TRUE(one->has_value() && two->has_value() && three->has_value());
}

TEST(Admission, LetsAWaiterInWhomOnlyAQuotaKeptFromAFreedPlace) {
  Fixture f({.turns = 10, .turns_a_tenant = 1, .longest_wait = std::chrono::minutes(1)});
  tenant::Allowances quotas;
  quotas.set("acme", {.turns_per_second = 100});
  tenant::Allowance& acme = quotas.of("acme");
  auto first = f.admission.try_enter(TenantName("acme"), {.allowance = &acme});
  std::optional<Result<Admission::Ticket>> out;
  auto waiting = enter(f.admission, TenantName("acme"), &out, {.allowance = &acme});
  waiting.start();
  f.shard.run_until_done(pause(f.shard));
  for (int i = 0; i < 102; ++i) acme.turn_rate.take(1, std::chrono::steady_clock::now());
  first.reset();
  for (int i = 0; i < 1000 && !out; ++i) f.shard.run_until_done(pause(f.shard));
  ASSERT_TRUE(out.has_value());
  EXPECT_TRUE(out->has_value());
}

TEST(Admission, LetsWaitingTenantsInOneAfterTheOther) {
  Fixture f({.turns = 1, .turns_a_tenant = 1});
  auto running = f.admission.try_enter(TenantName("x"));
  std::optional<Result<Admission::Ticket>> out[3];
  auto a1 = enter(f.admission, TenantName("a"), &out[0]);
  auto a2 = enter(f.admission, TenantName("a"), &out[1]);
  auto b = enter(f.admission, TenantName("b"), &out[2]);
  a1.start();
  a2.start();
  b.start();
  running.reset();
  f.shard.run_until_done(pause(f.shard));
  ASSERT_TRUE(out[0]);
  out[0].reset();
  f.shard.run_until_done(pause(f.shard));
  EXPECT_TRUE(out[2]);
  EXPECT_FALSE(out[1]);
}

// Computes in slices of a millisecond for ever, and counts them.
async::Task<void> compute(async::Shard* shard, Admission::Ticket* ticket, int* slices) {
  for (;;) {
    co_await shard->run_queue().turn(ticket->account());
    ++*slices;
    shard->run_queue().charge(ticket->account(), milliseconds(1));
  }
}

// The shares of two tenants of 400 slices, with two guests each.
std::pair<int, int> shares(Fixture& f, tenant::Allowances& quotas) {
  int a = 0, b = 0;
  std::vector<Admission::Ticket> tickets;
  std::vector<async::Task<void>> guests;
  tickets.reserve(4);
  for (const char* name : {"a", "b", "a", "b"}) {
    auto ticket = f.admission.try_enter(TenantName(name), {.allowance = &quotas.of(name)});
    tickets.push_back(std::move(*ticket));
    guests.push_back(compute(&f.shard, &tickets.back(), *name == 'a' ? &a : &b));
    guests.back().start();
  }
  for (int i = 0; i < 400; ++i) f.shard.run_queue().run_next();
  guests.clear();
  return {a, b};
}

TEST(Admission, SharesTheProcessorByTheTenantsWeights) {
  Fixture f({.turns = 10, .turns_a_tenant = 5});
  tenant::Allowances quotas;
  const auto [a, b] = shares(f, quotas);
  EXPECT_NEAR(a, b, 2);
  quotas.set("a", {.weight = 3});
  const auto [more, less] = shares(f, quotas);
  EXPECT_NEAR(more, 300, 3);
  EXPECT_NEAR(less, 100, 3);
}

}  // namespace
}  // namespace carrel::runtime
