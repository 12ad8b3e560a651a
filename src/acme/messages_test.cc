#include "acme/messages.h"

#include <gtest/gtest.h>

namespace carrel::acme {
namespace {

const net::Url kFrom{.scheme = "https", .host = "acme.example", .port = 443};

TEST(AcmeMessages, ADirectorySaysWhereToAsk) {
  const auto directory = read_directory(
      R"({"newNonce":"https://acme.example/n","newAccount":"https://acme.example/a",
          "newOrder":"https://acme.example/o","meta":{"termsOfService":"https://acme.example/tos"}})",
      kFrom);
  ASSERT_TRUE(directory) << directory.error().message();
  EXPECT_EQ(directory->new_order.target, "/o");
  EXPECT_EQ(directory->terms, "https://acme.example/tos");
}

TEST(AcmeMessages, WhatIsNoDirectoryIsRefused) {
  for (const char* bad :
       {"", "[]", "{}", R"({"newNonce":1,"newAccount":"https://a/a","newOrder":"https://a/o"})",
        R"({"newNonce":"http://a/n","newAccount":"https://a/a","newOrder":"https://a/o"})",
        R"({"newNonce":"https://u@a/n","newAccount":"https://a/a","newOrder":"https://a/o"})"}) {
    const auto directory = read_directory(bad, kFrom);
    ASSERT_FALSE(directory) << bad;
    EXPECT_EQ(directory.error().code(), Code::egress_bad_response);
  }
  const auto bound = read_directory(
      R"({"newNonce":"https://a/n","newAccount":"https://a/a","newOrder":"https://a/o",
          "meta":{"externalAccountRequired":true}})",
      kFrom);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code(), Code::unsupported);
}

TEST(AcmeMessages, AnOrderHasAuthorizations) {
  const auto order = read_order(
      R"({"status":"invalid","authorizations":["https://a/1"],"finalize":"https://a/f",
          "error":{"type":"urn:ietf:params:acme:error:dns","detail":"no\nsuch name"}})",
      kFrom);
  ASSERT_TRUE(order) << order.error().message();
  EXPECT_EQ(order->state, State::invalid);
  EXPECT_EQ(order->problem, "dns: no?such name");
  EXPECT_FALSE(order->certificate);
  for (const char* bad :
       {R"({"status":"new","authorizations":["https://a/1"]})", R"({"status":"pending"})",
        R"({"status":"pending","authorizations":[]})",
        R"({"status":"pending","authorizations":[1]})",
        R"({"status":"pending","authorizations":["ftp://a"]})",
        R"({"status":"valid","authorizations":["https://a/1"],"certificate":"http://a/c"})"}) {
    EXPECT_FALSE(read_order(bad, kFrom)) << bad;
  }
}

TEST(AcmeMessages, OnlyAChallengeOverHttpIsOfUse) {
  const auto some = read_authorization(
      R"({"status":"pending","challenges":[{"type":"dns-01","url":"https://a/d","token":"../x"},
          {"type":"http-01","url":"https://a/h","token":"abc-_9"}]})",
      kFrom);
  ASSERT_TRUE(some) << some.error().message();
  EXPECT_EQ(some->token, "abc-_9");
  EXPECT_EQ(some->challenge->target, "/h");
  const auto none = read_authorization(
      R"({"status":"pending","challenges":[{"type":"dns-01","url":"https://a/d","token":"x"}]})",
      kFrom);
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->challenge);
  for (const char* token : {"", "a/b", "..", "a b", "\\u0000"}) {
    const std::string text = R"({"status":"pending","challenges":[{"type":"http-01",
        "url":"https://a/h","token":")" +
                             std::string(token) + "\"}]}";
    EXPECT_FALSE(read_authorization(text, kFrom)) << token;
  }
}

TEST(AcmeMessages, AProblemIsWhatItSays) {
  const Problem problem =
      read_problem(R"({"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many"})");
  EXPECT_EQ(problem.type, "rateLimited");
  EXPECT_EQ(problem.text, "rateLimited: too many");
  EXPECT_EQ(read_problem("<html>").text, "");
  EXPECT_EQ(read_problem("[1]").text, "");
}

}  // namespace
}  // namespace carrel::acme
