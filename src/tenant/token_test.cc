#include "tenant/token.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "store/test_store.h"
#include "tenant/audit.h"
#include "tenant/tenant.h"

namespace carrel::tenant {
namespace {

const WallTime kNow{std::chrono::hours(24 * 365 * 60)};

class Tokens : public store::OpenStore {
 protected:
  Tokens() {
    EXPECT_TRUE(keep(transaction, Tenant{.name = TenantName("acme"), .created = kNow}));
    EXPECT_TRUE(keep(transaction, Tenant{.name = TenantName("acme/a"), .created = kNow}));
  }
  std::string make(Token token = {}) {
    token.scope = token.scope == kNode ? TenantName("acme/a") : token.scope;
    token.verbs = {Verb::read};
    token.created = kNow;
    token.creator = "operator";
    auto text = make_secret(token);
    EXPECT_TRUE(text);
    EXPECT_TRUE(keep(transaction, token));
    made = token;
    return *text;
  }
  Result<Principal> who(std::string text, WallTime now = kNow) {
    return run(identify(&transaction, std::move(text), now));
  }

  store::Transaction transaction{*local, kNode, {}};
  Token made;
};

TEST_F(Tokens, ThatAreNotKnownAreNobodys) {
  const std::string good = make();
  std::string other = good;
  other.back() = other.back() == '0' ? '1' : '0';
  std::string no_such = good;
  no_such[7] = no_such[7] == '0' ? '1' : '0';
  for (const std::string& text :
       {std::string(), std::string("carrel_"), std::string("carrel__"), other, no_such,
        good.substr(0, good.size() - 1), good + "0", good.substr(1), "x" + good,
        "carrel_" + made.id + "_", "carrel_" + made.id + "_" + std::string(64, '-'),
        "carrel_" + made.id + "_" + made.digest, std::string(100'000, 'a')}) {
    const auto principal = who(text);
    ASSERT_FALSE(principal) << text;
    EXPECT_EQ(principal.error().code(), Code::unauthenticated);
  }
  EXPECT_TRUE(who(good));
}

TEST_F(Tokens, AreNobodysOnceTheyHaveExpired) {
  const std::string text = make({.expires = kNow + std::chrono::seconds(1)});
  EXPECT_TRUE(who(text));
  EXPECT_FALSE(who(text, kNow + std::chrono::seconds(1)));
}

TEST_F(Tokens, AreNobodysOnceTheyAreRevokedOrATenantAboveIsRemoved) {
  const std::string text = make();
  ASSERT_TRUE(
      keep(transaction, Tenant{.name = TenantName("acme"), .created = kNow, .removed = kNow}));
  EXPECT_FALSE(who(text));
  ASSERT_TRUE(keep(transaction, Tenant{.name = TenantName("acme"), .created = kNow}));
  ASSERT_TRUE(who(text));
  ASSERT_TRUE(erase(transaction, made));
  EXPECT_FALSE(who(text));
}

TEST_F(Tokens, AreKeptWithoutTheirSecret) {
  const std::string text = make({.name = "ci"});
  ASSERT_TRUE(commit(transaction));
  const std::string secret = text.substr(text.rfind('_') + 1);
  store::Transaction later(*local, kNode, {});
  const auto found = run(find_token(&later, made.id));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->name, "ci");
  EXPECT_EQ((*found)->verbs, VerbSet({Verb::read}));
  EXPECT_NE((*found)->digest, secret);
  EXPECT_FALSE(to_json(**found).dump().contains((*found)->digest));
}

TEST_F(Tokens, AreListedByTheirOwnTenant) {
  make();
  make({.scope = TenantName("acme")});
  const auto page = run(list_tokens(&transaction, TenantName("acme"), "", 10));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->entries.size(), 1U);
  EXPECT_EQ(id_in(page->entries[0].name), made.id);
}

TEST_F(Tokens, NoTwoAreAlike) { EXPECT_NE(make(), make()); }

TEST_F(Tokens, AnAuditHasTheNewestFirstAndOnlyOfItsTenant) {
  for (std::uint64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(record(transaction, {.time = kNow + std::chrono::seconds(i),
                                     .tenant = TenantName("acme"),
                                     .who = "operator",
                                     .action = "putValue",
                                     .target = "\xff",
                                     .before = R"({"bytes":1})",
                                     .id = i}));
  }
  ASSERT_TRUE(record(transaction, {.time = kNow, .tenant = TenantName("acme/a"), .id = 9}));
  auto page = run(read_audit(&transaction, TenantName("acme"), "", 2));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->entries.size(), 2U);
  EXPECT_EQ(page->entries[0]["request"], "0000000000000003");
  EXPECT_EQ(page->entries[0]["before"]["bytes"], 1);
  EXPECT_FALSE(page->entries[0].contains("after"));
  page = run(read_audit(&transaction, TenantName("acme"), page->next, 2));
  ASSERT_EQ(page->entries.size(), 1U);
  EXPECT_EQ(page->entries[0]["request"], "0000000000000001");
  EXPECT_EQ(page->next, "");
}

TEST_F(Tokens, AnAuditShowsWhereAnEntryIsDamaged) {
  const TenantName acme("acme");
  for (std::uint64_t i = 1; i <= 3; ++i)
    ASSERT_TRUE(
        record(transaction, {.time = kNow + std::chrono::seconds(i), .tenant = acme, .id = i}));
  const store::Place place{.kind = store::Kind::audit, .store = ""};
  const auto names = run(transaction.read_names(place, "acme:", "", 3));
  ASSERT_TRUE(names);
  ASSERT_TRUE(transaction.put(place, names->entries[1].name, store::Record{.bytes = "{"}));
  const auto page = run(read_audit(&transaction, acme, "", 3));
  ASSERT_TRUE(page) << page.error().describe();
  ASSERT_EQ(page->entries.size(), 3U);
  EXPECT_EQ(page->entries[1]["damaged"], true);
  EXPECT_EQ(page->entries[1]["request"], "0000000000000002");
  EXPECT_LT(page->entries[1]["time"], page->entries[0]["time"]);
  EXPECT_GT(page->entries[1]["time"], page->entries[2]["time"]);
}

}  // namespace
}  // namespace carrel::tenant
