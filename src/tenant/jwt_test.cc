#include "tenant/jwt.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "tenant/test_issuer.h"

namespace carrel::tenant {
namespace {

using Json = nlohmann::json;
using Issuer = TestIssuer;

Result<void> check(const std::string& token, const std::string& keys,
                   const Expected& expected = kExpected) {
  CARREL_TRY(const auto set, KeySet::parse(keys));
  CARREL_TRY(const Jwt jwt, parse_jwt(token));
  CARREL_TRY_VOID(set->verify(jwt));
  return check_claims(jwt, expected, kNow);
}

class AJwt : public ::testing::TestWithParam<Issuer::Type> {
 protected:
  Issuer issuer{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(OfEachAlgorithm, AJwt,
                         ::testing::Values(Issuer::Type::rsa, Issuer::Type::p256,
                                           Issuer::Type::ed25519));

TEST_P(AJwt, ThatItsIssuerSignedIsBelievedAndOneThatWasChangedIsNot) {
  const std::string token = issuer.sign(good_claims());
  ASSERT_TRUE(check(token, issuer.key_set())) << check(token, issuer.key_set()).error().message();
  const auto second = token.rfind('.');
  Json claims = good_claims();
  claims["sub"] = "eve";
  const std::string forged =
      token.substr(0, token.find('.') + 1) + to_base64url(claims.dump()) + token.substr(second);
  EXPECT_FALSE(check(forged, issuer.key_set()));
  EXPECT_FALSE(check(token.substr(0, second + 1), issuer.key_set()));
  EXPECT_FALSE(
      check(token.substr(0, second + 1) + to_base64url(std::string(64, '\0')), issuer.key_set()));
  EXPECT_FALSE(check(token.substr(0, second + 1) + to_base64url(std::string(256, '\xff')),
                     issuer.key_set()));
}

TEST_P(AJwt, OfAnotherKeyOrAnotherKidIsNotBelieved) {
  const Issuer other(GetParam());
  EXPECT_FALSE(check(other.sign(good_claims()), issuer.key_set()));
  EXPECT_FALSE(
      check(issuer.sign({{"alg", issuer.alg()}, {"kid", "k2"}}, good_claims()), issuer.key_set()));
  EXPECT_TRUE(check(issuer.sign({{"alg", issuer.alg()}}, good_claims()), issuer.key_set()));
}

TEST_P(AJwt, OfAnAlgorithmThatItsIssuerDoesNotUseIsNotBelieved) {
  Expected expected = kExpected;
  std::erase(expected.algorithms, *algorithm_of(issuer.alg()));
  EXPECT_FALSE(check(issuer.sign(good_claims()), issuer.key_set(), expected));
}

TEST(AJwt, WithoutASignatureOrWithAPublicKeyForASecretIsNotBelieved) {
  const Issuer issuer(Issuer::Type::rsa);
  for (const char* alg : {"none", "None", "NONE", "", "HS256", "HS512", "RS1", "PS256", "ES384"}) {
    EXPECT_FALSE(check(issuer.sign({{"alg", alg}, {"kid", "k1"}}, good_claims()), issuer.key_set()))
        << alg;
  }
  const std::string unsigned_token =
      to_base64url(R"({"alg":"none"})") + "." + to_base64url(good_claims().dump()) + ".";
  EXPECT_FALSE(check(unsigned_token, issuer.key_set()));
  // The algorithm of one type of key with a key of another.
  EXPECT_FALSE(
      check(issuer.sign({{"alg", "ES256"}, {"kid", "k1"}}, good_claims()), issuer.key_set()));
  EXPECT_FALSE(
      check(issuer.sign({{"alg", "EdDSA"}, {"kid", "k1"}}, good_claims()), issuer.key_set()));
}

TEST(AJwt, ThatIsForOthersOrAnotherTimeIsNotBelieved) {
  const Issuer issuer(Issuer::Type::ed25519);
  const auto with = [&](const char* key, const Json& value) {
    Json claims = good_claims();
    claims[key] = value;
    if (value.is_null()) claims.erase(key);
    return check(issuer.sign(claims), issuer.key_set());
  };
  for (const Json& aud :
       {Json("wrong"), Json::array({"wrong"}), Json::array(), Json(), Json(1), Json::array({1})}) {
    EXPECT_FALSE(with("aud", aud)) << aud;
  }
  EXPECT_FALSE(with("iss", "https://id.example/"));
  EXPECT_FALSE(with("iss", nullptr));
  EXPECT_FALSE(with("exp", 1'799'999'900));
  EXPECT_FALSE(with("exp", nullptr));
  EXPECT_FALSE(with("exp", "1800000100"));
  EXPECT_FALSE(with("nbf", 1'800'000'100));
  EXPECT_FALSE(with("iat", 1'800'000'100));
  EXPECT_TRUE(with("exp", 1'799'999'990));  // clocks differ
  EXPECT_TRUE(with("aud", Json::array({"x", "other"})));
  EXPECT_TRUE(with("nbf", 1'799'999'999.5));
}

TEST(AJwt, ThatIsNoneIsRefused) {
  const Issuer issuer(Issuer::Type::ed25519);
  const std::string good = issuer.sign(good_claims());
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), good + ".", good + "=", " " + good,
        good.substr(0, good.rfind('.')), std::string("e30.e30."), std::string("W10.W10.AA"),
        std::string(20'000, 'a'), "eyJ." + good,
        to_base64url(std::string(10'000, '[')) + ".e30.AA"}) {
    EXPECT_FALSE(parse_jwt(text)) << text;
  }
  EXPECT_FALSE(parse_jwt(issuer.sign({{"alg", "EdDSA"}, {"crit", {"b64"}}}, good_claims())));
  EXPECT_FALSE(parse_jwt(issuer.sign({{"alg", "EdDSA"}, {"enc", "A128GCM"}}, good_claims())));
}

TEST(AKeySet, LeavesOutWhatDoesNotSignHere) {
  const Issuer good(Issuer::Type::p256, "good"), weak(Issuer::Type::rsa, "weak", 1024);
  Json off_curve = good.jwk(), encrypts = good.jwk(), other_alg = good.jwk(), secret = good.jwk();
  off_curve["y"] = off_curve["x"];
  encrypts["use"] = "enc";
  other_alg["alg"] = "RS256";
  secret = {{"kty", "oct"}, {"k", "c2VjcmV0"}, {"kid", "good"}};
  for (const Json& bad : {off_curve, encrypts, other_alg, secret, weak.jwk(), Json(1),
                          Json::object(), Json{{"kty", "RSA"}, {"n", "AQAB"}, {"e", "AQAB"}},
                          Json{{"kty", "EC"}, {"crv", "P-384"}, {"x", "AA"}, {"y", "AA"}}}) {
    EXPECT_FALSE(KeySet::parse(Json{{"keys", Json::array({bad})}}.dump())) << bad;
    EXPECT_EQ((*KeySet::parse(Json{{"keys", Json::array({bad, good.jwk()})}}.dump()))->size(), 1U)
        << bad;
  }
  for (const char* text : {"", "{}", "[]", R"({"keys": {}})", R"({"keys": []})"})
    EXPECT_FALSE(KeySet::parse(text)) << text;
}

}  // namespace
}  // namespace carrel::tenant
