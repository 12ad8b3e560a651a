#include "tenant/erasure.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "store/test_store.h"
#include "tenant/audit.h"
#include "tenant/tenant.h"
#include "tenant/token.h"

namespace carrel::tenant {
namespace {

using store::Kind;
using store::Place;

const WallTime kNow{std::chrono::hours(24 * 365 * 60)};
const TenantName kGone("acme"), kBeside("acme2"), kBelow("acme/a");

class Erasure : public store::OpenStore {
 protected:
  void keep_tenant(const TenantName& name, std::optional<WallTime> removed = {}) {
    store::Transaction transaction(*local, kNode, {});
    ASSERT_TRUE(keep(transaction, Tenant{.name = name, .created = kNow, .removed = removed}));
    Token token{.scope = name, .verbs = {Verb::read}, .created = kNow, .creator = "operator"};
    ASSERT_TRUE(make_secret(token));
    ASSERT_TRUE(keep(transaction, token));
    ASSERT_TRUE(record(transaction, {.time = kNow, .tenant = name, .who = "operator"}));
    ASSERT_TRUE(commit(transaction));
    put(name, {Kind::value, "carts"}, "a");
    put(name, {Kind::secret, ""}, "KEY");
    put(name, {Kind::app, ""}, "shop");
    put(name, {Kind::event, "mail"}, "1");
    put(name, {Kind::reply, ""}, "1");
    store::Transaction counting(*local, name, {});
    ASSERT_TRUE(counting.add("carts", "n", 5, {}));
    ASSERT_TRUE(commit(counting));
  }
  void put(const TenantName& name, const Place& place, const std::string& key) {
    store::Transaction transaction(*local, name, {});
    ASSERT_TRUE(transaction.put(place, key, {.bytes = "something"}));
    ASSERT_TRUE(commit(transaction));
  }
  // How many records of this kind the tenant has.
  std::size_t count(const TenantName& name, const Place& place, const std::string& prefix = "") {
    store::Transaction transaction(*local, name, {});
    return run(transaction.read_names(place, prefix, "", 1000))->entries.size();
  }
  std::size_t kept(const TenantName& name) {
    std::size_t sum = count(name, {Kind::token, "tenant"}, name.str() + ":") +
                      count(name, {Kind::audit, ""}, name.str() + ":");
    for (const Place& place :
         {Place{Kind::value, "carts"}, Place{Kind::counter, "carts"}, Place{Kind::secret, ""},
          Place{Kind::app, ""}, Place{Kind::event, "mail"}, Place{Kind::reply, ""}})
      sum += count(name, place);
    return sum;
  }
  Result<Erased> step(const TenantName& name, WallTime now = kNow) {
    store::Transaction transaction(*local, name, {});
    auto erased = run(erase_step(&transaction, local, name, now));
    if (!erased) return erased;
    const auto committed = commit(transaction);
    if (!committed) return std::unexpected(committed.error());
    return erased;
  }
  // Steps until all is gone.
  int erase(const TenantName& name, WallTime now = kNow) {
    for (int steps = 1; steps < 100; ++steps) {
      const auto erased = step(name, now);
      EXPECT_TRUE(erased) << erased.error().describe();
      if (!erased || *erased == Erased::all) return steps;
    }
    return 100;
  }
};

TEST_F(Erasure, LeavesNothingOfTheTenantAndAllOfOthers) {
  keep_tenant(kGone, kNow);
  keep_tenant(kBeside);
  keep_tenant(kBelow);  // not in life: tenants below go first; here to be sure
  ASSERT_EQ(kept(kGone), 8);
  EXPECT_EQ(erase(kGone), 3);  // what it kept; tokens and audit; the record
  EXPECT_EQ(kept(kGone), 0);
  EXPECT_EQ(store->usage(kGone).bytes, 0);
  EXPECT_EQ(kept(kBeside), 8);
  EXPECT_EQ(kept(kBelow), 8);
  EXPECT_EQ(count(kNode, {Kind::token, "id"}), 2);
  EXPECT_EQ(count(kNode, kTenants, "acme"), 2);
  EXPECT_EQ(count(kNode, {Kind::audit, ""}, ":"), 1);
}

TEST_F(Erasure, IsForThoseOnlyWhoseTimeIsOver) {
  keep_tenant(kGone, kNow);
  keep_tenant(kBelow, kNow + std::chrono::milliseconds(1));
  keep_tenant(kBeside);
  const auto names = run(overdue(local, kNow));
  ASSERT_TRUE(names);
  EXPECT_EQ(names->names, std::vector{kGone});
  EXPECT_TRUE(names->damaged.empty());
  for (const auto& name : {kBelow, kBeside, TenantName("nobody")}) {
    EXPECT_EQ(erase(name), 1);
  }
  EXPECT_EQ(kept(kBelow), 8);
  EXPECT_EQ(kept(kBeside), 8);
}

TEST_F(Erasure, IsKeptFromNobodyByARecordThatIsDamaged) {
  const TenantName damaged("aaa");
  keep_tenant(damaged, kNow);
  keep_tenant(kGone, kNow);
  store::Transaction transaction(*local, kNode, {});
  ASSERT_TRUE(transaction.put(kTenants, damaged.str(), {.bytes = "{"}));
  ASSERT_TRUE(commit(transaction));
  const auto all = run(overdue(local, kNow));
  ASSERT_TRUE(all);
  EXPECT_EQ(all->names, std::vector{kGone});
  EXPECT_EQ(all->damaged, std::vector{damaged});
  EXPECT_EQ(step(damaged).error().code(), Code::data_corrupt);
  EXPECT_EQ(kept(damaged), 8);
}

TEST_F(Erasure, GoesInBoundedStepsAndOnFromWhereItEnded) {
  keep_tenant(kGone, kNow);
  store::Transaction transaction(*local, kGone, {});
  for (std::size_t i = 0; i < 2 * kErasedAtOnce; ++i)
    ASSERT_TRUE(transaction.put({Kind::value, "carts"}, std::to_string(i), {.bytes = "v"}));
  ASSERT_TRUE(commit(transaction));
  const auto first = step(kGone);
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, Erased::some);
  EXPECT_EQ(kept(kGone), 8 + kErasedAtOnce);
  EXPECT_EQ(erase(kGone), 4);
  EXPECT_EQ(kept(kGone), 0);
}

TEST_F(Erasure, TakesNoMoreOfATenantThatWasRestored) {
  keep_tenant(kGone, kNow);
  ASSERT_TRUE(step(kGone));
  keep_tenant(kGone);
  const std::size_t before = kept(kGone);
  EXPECT_EQ(erase(kGone), 1);
  EXPECT_EQ(kept(kGone), before);
}

}  // namespace
}  // namespace carrel::tenant
