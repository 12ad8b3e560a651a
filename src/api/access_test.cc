#include "api/access.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "api/openapi.h"
#include "api/operation.h"

namespace carrel::api {
namespace {

using tenant::Principal;
using tenant::Verb;
using tenant::VerbSet;

const TenantName kAcme("acme"), kChild("acme/a"), kOther("other");

Principal of(const TenantName& scope, VerbSet verbs) {
  return {.id = "test", .scope = scope, .verbs = verbs};
}

TEST(Access, EveryOperationOfTheDescriptionHasARowAndIsServed) {
  std::string_view text = openapi_yaml();
  constexpr std::string_view kKey = "operationId: ";
  std::set<std::string> described;
  for (auto at = text.find(kKey); at != std::string_view::npos; at = text.find(kKey, at + 1)) {
    const auto from = at + kKey.size();
    described.emplace(text.substr(from, text.find('\n', from) - from));
  }
  std::set<std::string> served;
  for (const Operation& operation : all_operations()) {
    served.emplace(operation.id);
    EXPECT_NE(access_of(operation.id), nullptr) << operation.id;
  }
  EXPECT_EQ(described, served);
  EXPECT_GE(served.size(), 15U);
}

TEST(Access, WhatIsAboutATenantIsBelowItsPathAndNothingElseIs) {
  for (const Operation& operation : all_operations()) {
    const Access* const access = access_of(operation.id);
    ASSERT_NE(access, nullptr) << operation.id;
    const bool names = operation.path.contains("{tenant}");
    const bool needs = access->where == Where::tenant || access->where == Where::parent;
    EXPECT_EQ(names, needs) << operation.id;
  }
}

TEST(Access, AnOperationWithoutARowIsNobodys) { EXPECT_EQ(access_of("nothing"), nullptr); }

TEST(Access, AVerbOnASiblingOrAChildIsNone) {
  const Access access{"x", Where::tenant, Verb::data_read};
  EXPECT_TRUE(authorise(access, of(kAcme, {Verb::data_read}), kAcme));
  EXPECT_TRUE(authorise(access, of(kAcme, {Verb::data_read}), kChild));
  EXPECT_FALSE(authorise(access, of(kChild, VerbSet::all()), kAcme));
  EXPECT_FALSE(authorise(access, of(kOther, VerbSet::all()), kAcme));
  EXPECT_FALSE(authorise(access, of(kAcme, {Verb::data_write}), kAcme));
  EXPECT_FALSE(authorise(access, of(kAcme, VerbSet::all()), std::nullopt));
}

TEST(Access, WhatBoundsATenantIsItsParents) {
  const Access access{"x", Where::parent, Verb::tenants};
  EXPECT_FALSE(authorise(access, of(kAcme, VerbSet::all()), kAcme));
  EXPECT_TRUE(authorise(access, of(kAcme, VerbSet::all()), kChild));
  EXPECT_TRUE(authorise(access, of(tenant::kNode, VerbSet::all()), kAcme));
}

TEST(Access, TheNodeIsForWhoHasItAll) {
  const Access access{"x", Where::node, Verb::operate};
  EXPECT_FALSE(authorise(access, of(kAcme, VerbSet::all()), std::nullopt));
  EXPECT_FALSE(authorise(access, of(tenant::kNode, {Verb::read}), std::nullopt));
  EXPECT_TRUE(authorise(access, of(tenant::kNode, {Verb::operate}), std::nullopt));
}

}  // namespace
}  // namespace carrel::api
