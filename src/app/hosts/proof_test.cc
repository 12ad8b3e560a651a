#include "app/hosts/proof.h"

#include <gtest/gtest.h>

#include <set>

namespace carrel::hosts {
namespace {

NodeKey key_of(char byte) {
  NodeKey key;
  key.fill(static_cast<std::byte>(byte));
  return key;
}

TEST(Challenge, IsOfOneTenantOneNameAndOneNode) {
  const Challenges node(key_of(1)), other(key_of(2));
  const TenantName acme("acme"), child("acme/b");
  std::set<std::string> texts;
  for (const Challenge& each : {node.of(acme, "a.example"), node.of(child, "a.example"),
                                node.of(acme, "b.example"), other.of(acme, "a.example")}) {
    texts.insert(each.token);
    texts.insert(each.answer);
  }
  EXPECT_EQ(texts.size(), 8U);
  EXPECT_EQ(node.of(acme, "a.example").token, Challenges(key_of(1)).of(acme, "a.example").token);
}

TEST(Challenge, SaysWhereItIsLookedFor) {
  const Challenge challenge = Challenges(key_of(1)).of(TenantName("acme"), "a.example");
  EXPECT_EQ(challenge.dns_name, "_carrel-challenge.a.example");
  EXPECT_EQ(challenge.url, "http://a.example/.well-known/carrel-challenge/" + challenge.token);
  EXPECT_EQ(challenge.token.size(), 32U);
}

}  // namespace
}  // namespace carrel::hosts
