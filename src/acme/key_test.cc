#include "acme/key.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <nlohmann/json.hpp>

#include "acme/jws.h"
#include "base/base64.h"
#include "base/handle.h"

namespace carrel::acme {
namespace {

using Json = nlohmann::json;

// The names that a signing request is for, if it is signed by its own key.
std::string names_in(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const Handle<X509_REQ, X509_REQ_free> request(
      d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (!request || X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())) != 1)
    return "";
  STACK_OF(X509_EXTENSION)* all = X509_REQ_get_extensions(request.get());
  std::string names;
  const Handle<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
  for (int i = 0; i < sk_X509_EXTENSION_num(all); ++i)
    X509V3_EXT_print(out.get(), sk_X509_EXTENSION_value(all, i), 0, 0);
  sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

TEST(AcmeKey, SurvivesItsText) {
  const Key key = *Key::make();
  const auto again = Key::parse(key.pem());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->jwk(), key.jwk());
  EXPECT_NE(Key::make()->jwk(), key.jwk());
  for (const char* bad :
       {"", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"})
    EXPECT_FALSE(Key::parse(bad)) << bad;
}

TEST(AcmeKey, AsksForOneName) {
  const Key key = *Key::make();
  EXPECT_EQ(names_in(*key.request("www.example.com")), "DNS:www.example.com");
  const std::string longest = std::string(63, 'a') + "." + std::string(63, 'b') + ".example";
  EXPECT_EQ(names_in(*key.request(longest)), "DNS:" + longest);
}

TEST(AcmeJws, SaysWhoSpeaksByKeyOrByAccount) {
  const Key key = *Key::make();
  const auto head = [&](const Said& said) {
    const Json json = Json::parse(signed_text(key, said));
    EXPECT_EQ(from_base64url(json["signature"].get<std::string>())->size(), 64U);
    EXPECT_EQ(*from_base64url(json["payload"].get<std::string>()), said.payload);
    return Json::parse(*from_base64url(json["protected"].get<std::string>()));
  };
  const Json first = head({.url = "https://a/new", .nonce = "n1", .account = "", .payload = "{}"});
  EXPECT_EQ(first["jwk"], Json::parse(key.jwk()));
  EXPECT_FALSE(first.contains("kid"));
  EXPECT_EQ(first["nonce"], "n1");
  EXPECT_EQ(first["url"], "https://a/new");
  EXPECT_EQ(first["alg"], "ES256");
  const Json next =
      head({.url = "https://a/o", .nonce = "n2", .account = "https://a/1", .payload = ""});
  EXPECT_EQ(next["kid"], "https://a/1");
  EXPECT_FALSE(next.contains("jwk"));
}

TEST(AcmeJws, AnswersAChallengeWithTheKeysThumbprint) {
  // A key's thumbprint is the same for ever (RFC 7638).
  const Key key = *Key::make();
  EXPECT_EQ(thumbprint(key), thumbprint(*Key::parse(key.pem())));
  EXPECT_EQ(thumbprint(key).size(), 43U);
  EXPECT_EQ(key_authorization(key, "abc"), "abc." + thumbprint(key));
}

}  // namespace
}  // namespace carrel::acme
