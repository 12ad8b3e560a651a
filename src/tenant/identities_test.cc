#include "tenant/identities.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "async/event.h"
#include "async/shard.h"
#include "tenant/test_issuer.h"

namespace carrel::tenant {
namespace {

class FakeClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  WallTime wall() const override { return kNow; }
  Instant now_{std::chrono::hours(1)};
};

class TheIdentities : public ::testing::Test {
 protected:
  TheIdentities() {
    std::string name = std::filesystem::temp_directory_path() / "carrel-keys-XXXXXX";
    folder = mkdtemp(name.data());
    publish(first);
    identities.emplace(std::make_shared<const std::vector<Issuer>>(std::vector<Issuer>{
                           {.expected = kExpected,
                            .file = folder / "keys.json",
                            .url = {},
                            .tenant = TenantName("acme"),
                            .access = {{"groups", "ops", TenantName("acme"), {Verb::deploy}}}}}),
                       nullptr, clock);
  }
  ~TheIdentities() override { std::filesystem::remove_all(folder); }

  void publish(const TestIssuer& issuer) const {
    std::ofstream(folder / "keys.json") << issuer.key_set();
  }
  using Answer = Result<std::optional<Identity>>;
  Answer who(const std::string& token, std::optional<TenantName> tenant = {}) {
    Answer answer;
    shard.run_until_done(ask(&*identities, token, std::move(tenant), &answer));
    return answer;
  }
  static async::Task<void> ask(Identities* identities, std::string token,
                               std::optional<TenantName> tenant, Answer* out) {
    *out = co_await identities->identify(std::move(token), std::move(tenant));
  }

  std::filesystem::path folder;
  FakeClock clock;
  async::Shard shard;
  TestIssuer first{TestIssuer::Type::ed25519, "k1"}, second{TestIssuer::Type::ed25519, "k2"};
  std::optional<Identities> identities;
};

TEST_F(TheIdentities, NameNobodyForTokensOfOthers) {
  EXPECT_FALSE(*who("carrel_0123456789abcdef_00"));
  EXPECT_FALSE(*who("eyJ.x.y", TenantName("acme")));
  nlohmann::json claims = good_claims();
  claims["iss"] = "https://other.example";
  EXPECT_FALSE(*who(first.sign(claims)));
  EXPECT_FALSE(*who(first.sign(good_claims()), TenantName("other")));
}

TEST_F(TheIdentities, RefuseATokenOfTheirIssuerThatIsNotGood) {
  EXPECT_EQ(who(second.sign(good_claims())).error().code(), Code::unauthenticated);
  nlohmann::json claims = good_claims();
  claims["exp"] = 1;
  EXPECT_EQ(who(first.sign(claims)).error().code(), Code::unauthenticated);
}

TEST_F(TheIdentities, NameTheCallerAndFollowANewKey) {
  auto found = who(first.sign(good_claims()), TenantName("acme/a"));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->subject, "ada");
  publish(second);
  clock.now_ += std::chrono::seconds(20);
  EXPECT_TRUE(*who(second.sign(good_claims())));
  EXPECT_FALSE(who(first.sign(good_claims())));
}

// Answers when it is told to.
struct SlowCaller final : net::Caller {
  struct Response final : net::IncomingResponse {
    explicit Response(std::string text) : text_(std::move(text)), body_(text_) {}
    const net::ReplyHead& head() const override { return head_; }
    async::ByteSource& body() override { return body_; }
    net::ReplyHead head_{.status = 200};
    std::string text_;
    async::MemorySource body_;
  };
  async::Task<Result<std::unique_ptr<net::IncomingResponse>>> send(TenantName, net::OutgoingRequest,
                                                                   net::CallLimits) override {
    ++calls;
    co_await answer;
    co_return std::make_unique<Response>(text);
  }
  std::string text;
  int calls = 0;
  async::Event answer;
};

TEST_F(TheIdentities, FetchKeysOnceForAllWhoWait) {
  SlowCaller caller;
  caller.text = first.key_set();
  identities.emplace(std::make_shared<const std::vector<Issuer>>(std::vector<Issuer>{
                         {.expected = kExpected,
                          .file = {},
                          .url = net::parse_url("https://id.example/keys").value(),
                          .tenant = kNode,
                          .access = {}}}),
                     &caller, clock);
  const std::string token = first.sign(good_claims());
  Answer answers[3];
  std::vector<async::Task<void>> asking;
  for (Answer& each : answers) {
    asking.push_back(ask(&*identities, token, {}, &each));
    asking.back().start();
  }
  EXPECT_EQ(caller.calls, 1);
  asking.pop_back();  // one does not wait for the end
  caller.answer.signal();
  for (const auto& each : asking) EXPECT_TRUE(each.done());
  EXPECT_TRUE(answers[0].value() && answers[1].value());
  EXPECT_EQ(caller.calls, 1);
}

TEST_F(TheIdentities, KeepTheirKeysForADayWhenThereAreNoNewOnes) {
  ASSERT_TRUE(*who(first.sign(good_claims())));
  std::filesystem::remove(folder / "keys.json");
  clock.now_ += std::chrono::hours(1);
  EXPECT_TRUE(*who(first.sign(good_claims())));
  clock.now_ += std::chrono::hours(24);
  EXPECT_EQ(who(first.sign(good_claims())).error().code(), Code::unavailable);
}

TEST_F(TheIdentities, TellIssuersOfOneNameApartByTheirAudience) {
  const auto issuer = [&](const char* audience, const char* tenant) {
    Issuer made{.expected = kExpected,
                .file = folder / "keys.json",
                .url = {},
                .tenant = TenantName(tenant),
                .access = {}};
    made.expected.audiences = {audience};
    return made;
  };
  identities.emplace(std::make_shared<const std::vector<Issuer>>(
                         std::vector<Issuer>{issuer("blog", "b"), issuer("shop", "s")}),
                     nullptr, clock);
  const auto found = who(first.sign(good_claims()));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->issuer->tenant, TenantName("s"));
  EXPECT_FALSE(who(first.sign(good_claims()), TenantName("b")));
}

TEST_F(TheIdentities, OpenTheApiOnlyByARule) {
  nlohmann::json claims = good_claims();
  EXPECT_FALSE(principal_of(**who(first.sign(claims))));
  claims["groups"] = "op";
  EXPECT_FALSE(principal_of(**who(first.sign(claims))));
  claims["groups"] = nlohmann::json::array({"dev", "ops"});
  const auto principal = principal_of(**who(first.sign(claims)));
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->id, "jwt:https://id.example|ada");
  EXPECT_TRUE(principal->may(Verb::deploy, TenantName("acme/a")));
  EXPECT_FALSE(principal->may(Verb::read, TenantName("acme")));
}

}  // namespace
}  // namespace carrel::tenant
