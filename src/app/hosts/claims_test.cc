#include "app/hosts/claims.h"

#include <gtest/gtest.h>

#include "store/test_store.h"

namespace carrel::hosts {
namespace {

using async::Task;
using deployment::Scope;

const WallTime kNow = WallTime(std::chrono::hours(24 * 365 * 60));
const Scope kShop{.tenant = TenantName("acme"), .app = AppName("shop")};
const Scope kOther{.tenant = TenantName("acme/b"), .app = AppName("blog")};
constexpr auto kHost = "www.example.com";

class Claims : public store::OpenStore {
 protected:
  // Runs one change in a transaction of its own, and commits it.
  template <typename Change>
  Code change(Change make) {
    Code code = Code::internal;
    shard.run_until_done(run(local, std::move(make), &code));
    return code;
  }
  static constexpr Code kDone = Code::not_implemented;
  template <typename Change>
  static Task<void> run(store::ShardStore* local, Change make, Code* code) {
    store::Transaction transaction(*local, kShop.tenant, {});
    const auto made = co_await make(&transaction);
    *code = made ? kDone : made.error().code();
    if (made) (void)co_await transaction.commit();
  }

  Code add(const Scope& scope, std::string host = kHost) {
    return change([=](store::Transaction* t) { return claim(t, scope, host, kNow); });
  }
  Code prove(const Scope& scope, std::string host = kHost) {
    return change([=](store::Transaction* t) { return note_proof(t, scope.tenant, host, kNow); });
  }
  Code drop(const Scope& scope, std::string host = kHost) {
    return change([=](store::Transaction* t) { return give_up(t, scope.tenant, host); });
  }
  // "HOST=TENANT/APP" of all proven names.
  std::string proven() const {
    const auto snapshot = store->snapshot();
    std::string text;
    for (const Proven& each : read_proven((*snapshot)->view)->hosts)
      text += each.host + "=" + each.scope.tenant.str() + ":" + each.scope.app.str() + " ";
    return text;
  }
};

TEST_F(Claims, OnlyWhatIsProvenIsSomebodys) {
  EXPECT_EQ(prove(kShop), Code::not_found);
  EXPECT_EQ(add(kShop), kDone);
  EXPECT_EQ(proven(), "");
  EXPECT_EQ(prove(kShop), kDone);
  EXPECT_EQ(prove(kShop), kDone);
  EXPECT_EQ(proven(), "www.example.com=acme:shop ");
}

TEST_F(Claims, WhoProvesFirstHasItUntilItIsGivenUp) {
  EXPECT_EQ(add(kShop), kDone);
  EXPECT_EQ(add(kOther), kDone);
  EXPECT_EQ(prove(kOther), kDone);
  EXPECT_EQ(prove(kShop), Code::in_use);
  EXPECT_EQ(proven(), "www.example.com=acme/b:blog ");
  EXPECT_EQ(drop(kOther), kDone);
  EXPECT_EQ(drop(kOther), Code::not_found);
  EXPECT_EQ(proven(), "");
  EXPECT_EQ(prove(kShop), kDone);
  EXPECT_EQ(proven(), "www.example.com=acme:shop ");
}

TEST_F(Claims, AClaimOfAnotherGivesUpNothingOfMine) {
  EXPECT_EQ(add(kShop), kDone);
  EXPECT_EQ(prove(kShop), kDone);
  EXPECT_EQ(add(kOther), kDone);
  EXPECT_EQ(drop(kOther), kDone);
  EXPECT_EQ(proven(), "www.example.com=acme:shop ");
}

TEST_F(Claims, AProvenNameFollowsItsAppAndGoesWithIt) {
  const Scope next{.tenant = kShop.tenant, .app = AppName("next")};
  EXPECT_EQ(add(kShop), kDone);
  EXPECT_EQ(prove(kShop), kDone);
  EXPECT_EQ(add(next), kDone);
  EXPECT_EQ(proven(), "www.example.com=acme:next ");
  EXPECT_EQ(change([](store::Transaction* t) { return give_up_all(t, kShop); }), kDone);
  EXPECT_EQ(proven(), "www.example.com=acme:next ");
  EXPECT_EQ(change([next](store::Transaction* t) { return give_up_all(t, next); }), kDone);
  EXPECT_EQ(proven(), "");
  EXPECT_EQ(drop(next), Code::not_found);
}

}  // namespace
}  // namespace carrel::hosts
