#include "tenant/usage.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/test_api.h"
#include "tenant/allowance.h"
#include "tenant/path.h"
#include "turn/step.h"

namespace carrel::api {
namespace {

using Json = nlohmann::json;

struct Addition final : turn::Step {
  async::Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await tenant::add_usage(&transaction, entries));
    co_return Result<void>();
  }
  std::vector<tenant::HourlySpent> entries;
};

async::Task<void> add_into(turn::Services services, turn::Step* step, Result<void>* done) {
  *done = co_await turn::commit(services, tenant::kNode, {}, step);
}

class Usage : public ApiFixture {
 protected:
  Usage() {
    EXPECT_EQ(ask("POST", "/v1/tenants", R"({"name": "acme"})"), 201);
    const auto hour = tenant::hour_of(system_clock().wall());
    Addition step;
    for (const char* module : {"a", "b"})
      step.entries.push_back(
          {.who = {TenantName("acme"), AppName("shop"), ModuleName(module)},
           .hour = hour,
           .spent = {.turns = 2, .failures = 1, .cpu = 5'999, .memory = 2048, .bytes_in = 3}});
    Result<void> done;
    shard.run_until_done(add_into(services, &step, &done));
    EXPECT_TRUE(done);
  }
  Json json() const { return Json::parse(reply->body()); }
};

TEST_F(Usage, IsRefusedWhereTheQuestionIsWrong) {
  for (const char* query :
       {"?by=week", "?from=yesterday", "?from=2026-02-30", "?from=2026-01-02&to=2026-01-01",
        "?from=2024-01-01&to=2026-01-01", "?limit=0", "?limit=1001", "?format=xml",
        "?after=other:", "?more=1", "?by=hour&by=day", "?from=%ff"}) {
    EXPECT_EQ(ask("GET", std::string("/v1/tenants/acme/usage") + query), 400) << query;
  }
  EXPECT_EQ(ask("GET", "/v1/tenants/none/usage"), 404);
}

TEST_F(Usage, IsShownByModule) {
  ASSERT_EQ(ask("GET", "/v1/tenants/acme/usage?limit=1"), 200);
  const Json first = json();
  ASSERT_EQ(first["usage"].size(), 1u);
  const Json& row = first["usage"][0];
  EXPECT_EQ(row["module"], "a");
  EXPECT_EQ(row["turns"], 2);
  EXPECT_EQ(row["cpu_us"], 5);
  EXPECT_EQ(row["memory_mib_ms"], 2);
  EXPECT_EQ(row["damaged"], 0);
  ASSERT_EQ(ask("GET", "/v1/tenants/acme/usage?limit=1&after=" + first["next"].get<std::string>()),
            200);
  EXPECT_EQ(json()["usage"][0]["module"], "b");
  EXPECT_FALSE(json().contains("next"));
}

TEST_F(Usage, OfAFormerTenantIsNotShownToWhoHasItsName) {
  Addition step;
  step.entries.push_back({.who = {TenantName("acme"), AppName("old"), ModuleName("m")},
                          .hour = tenant::hour_of(system_clock().wall()) - 2,
                          .spent = {.turns = 1}});
  Result<void> done;
  shard.run_until_done(add_into(services, &step, &done));
  ASSERT_TRUE(done);
  ASSERT_EQ(ask("GET", "/v1/tenants/acme/usage?by=total"), 200);
  ASSERT_EQ(json()["usage"].size(), 2u);
  for (const Json& row : json()["usage"]) EXPECT_EQ(row["app"], "shop");
}

TEST_F(Usage, OfAFormerTenantIsForThoseAboveIt) {
  Addition step;
  const auto hour = tenant::hour_of(system_clock().wall()) - 2;
  for (const char* name : {"acme", "gone"})
    step.entries.push_back({.who = {TenantName(name), AppName("old"), ModuleName("m")},
                            .hour = hour,
                            .spent = {.turns = 1}});
  Result<void> done;
  shard.run_until_done(add_into(services, &step, &done));
  ASSERT_TRUE(done);
  EXPECT_EQ(ask("GET", "/v1/tenants/gone/usage"), 404);
  for (const char* name : {"acme", "gone"}) {
    ASSERT_EQ(ask("GET", std::string("/v1/tenants/") + name + "/usage?former=true"), 200);
    ASSERT_EQ(json()["usage"].size(), 1U) << name;
    EXPECT_EQ(json()["usage"][0]["app"], "old");
  }
  EXPECT_EQ(ask("GET", "/v1/tenants/acme/usage?former=yes"), 400);
  ASSERT_EQ(ask("POST", "/v1/tenants/acme/tokens", R"({"verbs": ["read"]})"), 201);
  const std::string own = "Bearer " + json()["token"].get<std::string>();
  request.headers[0].value = own;
  EXPECT_EQ(ask("GET", "/v1/tenants/acme/usage"), 200);
  EXPECT_EQ(ask("GET", "/v1/tenants/acme/usage?former=true"), 403);
}

struct Damage final : turn::Step {
  async::Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await transaction.read(kUsage, name));
    co_return transaction.put(kUsage, name, {.bytes = "?"});
  }
  const store::Place kUsage{.kind = store::Kind::tenant, .store = "usage"};
  std::string name;
};

TEST_F(Usage, ThatIsDamagedIsToldOf) {
  Damage step;
  const auto hour = tenant::hour_of(system_clock().wall());
  step.name = "acme:shop:a:" + std::to_string(100'000'000 + hour).substr(1);
  Result<void> done;
  shard.run_until_done(add_into(services, &step, &done));
  ASSERT_TRUE(done);
  ASSERT_EQ(ask("GET", "/v1/tenants/acme/usage"), 200);
  ASSERT_EQ(json()["usage"].size(), 2U);
  EXPECT_EQ(json()["usage"][0]["damaged"], 1);
  EXPECT_EQ(json()["usage"][0]["turns"], 0);
  EXPECT_EQ(json()["usage"][1]["turns"], 2);
  ASSERT_EQ(ask("GET", "/v1/tenants/acme/usage?format=csv&limit=1"), 200);
  EXPECT_TRUE(reply->body().ends_with(",0,0,0,0,0,0,0,0,0,1\r\n"));
}

TEST_F(Usage, IsATableForWhoAsksForOne) {
  ASSERT_EQ(ask("GET", "/v1/tenants/acme/usage?format=csv&limit=1"), 200);
  EXPECT_TRUE(header("content-type").starts_with("text/csv"));
  EXPECT_TRUE(reply->body().starts_with(
      "tenant,app,module,from,to,turns,failures,refused,cpu_us,memory_mib_ms,bytes_in,bytes_out,"
      "calls,log_bytes,damaged\r\nacme,shop,a,"));
  EXPECT_TRUE(reply->body().ends_with(",2,1,0,5,2,3,0,0,0,0\r\n"));
  EXPECT_TRUE(header("link").starts_with(
      "</v1/tenants/acme/usage?format=csv&limit=1&after=acme%3Ashop%3Aa%3A"));
  with("accept", "text/csv");
  ASSERT_EQ(ask("GET", "/v1/tenants/acme/usage"), 200);
  EXPECT_TRUE(header("content-type").starts_with("text/csv"));
}

TEST_F(Usage, QuotasCountAsSoonAsTheyAreSet) {
  tenant::Allowances allowances;
  services.allowances = &allowances;
  api.serve_state(services);
  EXPECT_EQ(ask("PATCH", "/v1/tenants/acme", R"({"quotas": {"turns_per_second": 0, "weight": 5}})"),
            200);
  EXPECT_TRUE(tenant::stands_against_turn(&allowances.of("acme/below"), 0, system_clock().now()));
  EXPECT_EQ(allowances.of("acme").weight, 5u);
  EXPECT_EQ(
      ask("PATCH", "/v1/tenants/acme", R"({"quotas": {"turns_per_second": null, "weight": 0}})"),
      400);
  EXPECT_EQ(ask("PATCH", "/v1/tenants/acme", R"({"quotas": {"turns_per_second": null}})"), 200);
  EXPECT_FALSE(tenant::stands_against_turn(&allowances.of("acme"), 0, system_clock().now()));
}

// Cancelled at each of its steps: where the change is kept, it counts.
TEST_F(Usage, QuotasCountWhenTheClientHasGone) {
  tenant::Allowances allowances;
  services.allowances = &allowances;
  api.serve_state(services);
  bool kept_once = false, ended = false;
  for (std::uint64_t quota = 1; quota < 200 && !ended; ++quota) {
    request.method = "PATCH";
    request.path = "/v1/tenants/acme";
    async::MemorySource body(R"({"quotas": {"concurrent_turns": )" + std::to_string(quota) + "}}");
    net::MemoryReply unheard;
    net::Exchange exchange{.request = request, .body = body, .reply = unheard, .id = quota};
    {
      auto asked = api.handle(exchange);
      asked.start();
      for (std::uint64_t i = 1; i < quota && !asked.done(); ++i)
        shard.run_until_done(shard.sleep_for(std::chrono::microseconds(20)));
      ended = asked.done();
    }
    serve_what_goes_on();
    ASSERT_EQ(ask("GET", "/v1/tenants/acme"), 200);
    const auto kept = json()["quotas"].value("concurrent_turns", std::uint64_t{0});
    kept_once = kept_once || (kept == quota && !ended);
    if (kept == 0) continue;
    EXPECT_TRUE(allowances.of("acme").turns.has_room(kept)) << quota;
    EXPECT_FALSE(allowances.of("acme").turns.has_room(kept + 1)) << quota;
  }
  EXPECT_TRUE(kept_once);
}

}  // namespace
}  // namespace carrel::api
