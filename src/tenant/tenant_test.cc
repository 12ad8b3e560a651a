#include "tenant/tenant.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tenant/principal.h"

namespace carrel::tenant {
namespace {

TEST(ATenantsName, IsRefusedUnlessEachPartIsAName) {
  for (const std::string& text :
       {std::string(""), std::string("/"), std::string("acme/"), std::string("/acme"),
        std::string("a//b"), std::string("Acme"), std::string("-a"), std::string("a b"),
        std::string("a.b"), std::string(".."), std::string("a/../b"), std::string("a\0b", 3),
        std::string(65, 'a'), std::string("a/a/a/a/a/a/a/a/a"),
        std::string(64, 'a') + "/" + std::string(64, 'b') + "/" + std::string(64, 'c') + "/" +
            std::string(64, 'd')}) {
    const auto parsed = parse_tenant(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Code::invalid_argument);
  }
  for (const std::string& text :
       {std::string("a"), std::string("acme/merchant-17"), std::string("a/a/a/a/a/a/a/a"),
        std::string(64, '0'), std::string("my_app")}) {
    EXPECT_TRUE(parse_tenant(text)) << text;
  }
}

TEST(ATenant, ContainsItselfAndWhatIsBelowAndNothingBeside) {
  const TenantName acme("acme"), child("acme/a"), beside("acme2"), hyphen("acme-a");
  EXPECT_TRUE(contains(acme, acme));
  EXPECT_TRUE(contains(acme, child));
  EXPECT_FALSE(contains(acme, beside));
  EXPECT_FALSE(contains(acme, hyphen));
  EXPECT_FALSE(contains(child, acme));
  EXPECT_TRUE(contains(kNode, acme));
  EXPECT_FALSE(contains(acme, kNode));
  EXPECT_EQ(parent_of(child), acme);
  EXPECT_EQ(parent_of(acme), kNode);
}

TEST(AVerb, HasANameAndIsInNoSetThatItWasNotPutInto) {
  EXPECT_FALSE(parse_verb("everything"));
  EXPECT_FALSE(parse_verb(""));
  for (const auto name : VerbSet::all().names()) {
    const auto verb = parse_verb(name);
    ASSERT_TRUE(verb);
    EXPECT_EQ(verb_name(*verb), name);
    EXPECT_TRUE(VerbSet({*verb}).has(*verb));
    EXPECT_FALSE(VerbSet().has(*verb));
    EXPECT_TRUE(VerbSet::all().includes({*verb}));
    EXPECT_FALSE(VerbSet({*verb}).includes(VerbSet::all()));
  }
}

TEST(APrincipal, MayDoOnlyItsVerbsAndOnlyWithinItsScope) {
  const Principal one{.id = "t", .scope = TenantName("acme"), .verbs = {Verb::read}};
  EXPECT_TRUE(one.may(Verb::read, TenantName("acme/x")));
  EXPECT_FALSE(one.may(Verb::read, TenantName("other")));
  EXPECT_FALSE(one.may(Verb::read, kNode));
  EXPECT_FALSE(one.may(Verb::deploy, TenantName("acme")));
}

TEST(Quotas, ThatAreNoneAreRefusedAndChangeNothing) {
  Quotas quotas{.storage_bytes = 7};
  for (const char* text :
       {R"([])", R"({"storage_bytes": -1})", R"({"storage_bytes": 1.5})",
        R"({"storage_bytes": "1"})", R"({"storage": 1})", R"({"storage_bytes": 9, "other": 1})",
        R"({"storage_bytes": 9999999999999999999})"}) {
    EXPECT_FALSE(merge(nlohmann::json::parse(text), quotas)) << text;
    EXPECT_EQ(quotas.storage_bytes, 7U) << text;
  }
}

TEST(Quotas, AreSetByANumberTakenAwayByNullAndKeptWhenNotNamed) {
  Quotas quotas{.storage_bytes = 7};
  ASSERT_TRUE(merge(nlohmann::json::object(), quotas));
  EXPECT_EQ(quotas.storage_bytes, 7U);
  ASSERT_TRUE(merge(nlohmann::json::parse(R"({"storage_bytes": 8})"), quotas));
  EXPECT_EQ(to_json(quotas), (nlohmann::json{{"storage_bytes", 8}}));
  ASSERT_TRUE(merge(nlohmann::json{{"storage_bytes", nullptr}}, quotas));
  EXPECT_FALSE(quotas.storage_bytes);
}

TEST(ATenantsRecord, ThatIsDamagedIsSaidToBe) {
  const TenantName name("acme");
  for (const char* text : {"", "{}", "[]", R"({"created": 1})", R"({"created": -1, "quotas": {}})",
                           R"({"created": 1, "quotas": {"x": 1}})"}) {
    EXPECT_EQ(read_tenant(name, text).error().code(), Code::data_corrupt) << text;
  }
}

TEST(ATenantsRecord, IsReadAsItWasWritten) {
  const Tenant tenant{.name = TenantName("acme/a"),
                      .quotas = {.storage_bytes = 9},
                      .created = WallTime(std::chrono::milliseconds(1234)),
                      .removed = WallTime(std::chrono::milliseconds(99))};
  const auto read = read_tenant(tenant.name, to_json(tenant).dump());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->quotas, tenant.quotas);
  EXPECT_EQ(read->created, tenant.created);
  EXPECT_EQ(read->removed, tenant.removed);
}

}  // namespace
}  // namespace carrel::tenant
