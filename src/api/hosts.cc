// Host names of tenants' own: claim, check, list, give up.
#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/audit.h"
#include "api/call.h"
#include "api/query.h"
#include "api/step.h"
#include "app/deployment/desk.h"
#include "app/hosts/desk.h"
#include "app/hosts/name.h"
#include "base/percent.h"
#include "tenant/tenant.h"

namespace carrel::api {
namespace {

using async::Task;
using deployment::Scope;
using hosts::Claim;
using Json = nlohmann::json;

Json describe(const Claim& claim) {
  Json json = {{"host", claim.host},
               {"app", claim.app.str()},
               {"claimed", time_text(claim.created)},
               {"state", claim.proven ? "proven" : "claimed"}};
  if (claim.proven) json["proven"] = time_text(*claim.proven);
  return json;
}

// With what the tenant is to do.
Json describe(const Claim& claim, const TenantName& tenant, const hosts::Desk& desk) {
  Json json = describe(claim);
  const hosts::Challenge challenge = desk.challenge(tenant, claim.host);
  json["proof"] = {{"dns", {{"name", challenge.dns_name}, {"text", challenge.token}}},
                   {"http", {{"url", challenge.url}, {"body", challenge.answer}}}};
  return json;
}

// Where the server has TLS, once the name is served.
void add_certificate(Json& json, const std::string& host, const Call& call) {
  const auto known = call.hosts->certificate(host);
  if (!known) return;
  Json certificate = {{"state", "none"}};
  if (const auto& used = known->used) {
    certificate = {{"state", used->until > call.clock.wall() ? "valid" : "expired"},
                   {"from", used->from == hosts::Certificate::From::acme ? "acme" : "file"},
                   {"until", time_text(used->until)}};
  }
  if (const auto& failure = known->failure) {
    certificate["failure"] = {{"code", failure->code},
                              {"message", failure->message},
                              {"again", time_text(failure->again)}};
  }
  json["certificate"] = std::move(certificate);
}

Json before_of(const std::optional<Claim>& claim) { return claim ? describe(*claim) : Json(); }

// What a call is about.
struct Asked {
  hosts::Desk* desk;
  std::string host;
};
Result<Asked> asked(const Call& call) {
  if (call.hosts == nullptr) return fail(Code::unavailable, "no host names can be claimed here");
  CARREL_TRY(const std::string text, call.text("host"));
  CARREL_TRY(std::string host, hosts::normal_name(text));
  return Asked{.desk = call.hosts, .host = std::move(host)};
}

// A change of one claim: a commit, then what is served follows. It outlives its request.
class Change : public Work::Job, protected Step {
 public:
  Change(const Call& call, Asked about)
      : services_(call.services),
        about_(std::move(about)),
        tenant_(call.tenant),
        now_(call.clock.wall()),
        entry_(audit_entry(call, call.tenant, "hosts/" + about_.host)) {}

  Task<Result<Answer>> run() override {
    CARREL_CO_TRY_VOID(co_await commit(services_, tenant_, {}, this));
    if (serves_) CARREL_CO_TRY_VOID(co_await about_.desk->serve(about_.host));
    if (!claim_) co_return no_content();
    co_return json_answer(describe(*claim_, tenant_, *about_.desk));
  }

 protected:
  // What the claim becomes; nothing: it is given up.
  virtual Task<Result<std::optional<Claim>>> edit(store::Transaction* transaction) = 0;

  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await require(&transaction, tenant_));
    CARREL_CO_TRY(const auto before, co_await hosts::find_claim(&transaction, tenant_, host()));
    CARREL_CO_TRY(claim_, co_await edit(&transaction));
    serves_ = (before && before->proven) || (claim_ && claim_->proven);
    const Json was = before_of(before), is = before_of(claim_);
    if (was == is) co_return Result<void>();
    entry_.before = was.is_null() ? "" : was.dump();
    entry_.after = is.is_null() ? "" : is.dump();
    co_return tenant::record(transaction, entry_);
  }

  static Task<Result<void>> require(store::Transaction* transaction, TenantName name) {
    CARREL_CO_TRY_VOID(co_await tenant::require(transaction, std::move(name)));
    co_return Result<void>();
  }

  const std::string& host() const { return about_.host; }
  const TenantName& tenant() const { return tenant_; }
  WallTime now() const { return now_; }

 private:
  const turn::Services services_;
  const Asked about_;
  const TenantName tenant_;
  const WallTime now_;
  tenant::AuditEntry entry_;
  std::optional<Claim> claim_;
  bool serves_ = false;  // the name is or was served
};

class Claiming final : public Change {
 public:
  Claiming(const Call& call, Asked about, AppName app)
      : Change(call, std::move(about)), app_(std::move(app)) {}

 private:
  Task<Result<std::optional<Claim>>> edit(store::Transaction* transaction) override {
    CARREL_CO_TRY_VOID(co_await deployment::require_app(transaction, app_));
    Scope scope{.tenant = tenant(), .app = app_};
    CARREL_CO_TRY(Claim claim, co_await hosts::claim(transaction, std::move(scope), host(), now()));
    co_return std::optional(std::move(claim));
  }
  const AppName app_;
};

class Proof final : public Change {
  using Change::Change;
  Task<Result<std::optional<Claim>>> edit(store::Transaction* transaction) override {
    CARREL_CO_TRY(Claim claim, co_await hosts::note_proof(transaction, tenant(), host(), now()));
    co_return std::optional(std::move(claim));
  }
};

class GivingUp final : public Change {
  using Change::Change;
  Task<Result<std::optional<Claim>>> edit(store::Transaction* transaction) override {
    CARREL_CO_TRY_VOID(co_await hosts::give_up(transaction, tenant(), host()));
    co_return std::optional<Claim>();
  }
};

Task<Result<Answer>> see_through(Call* call, std::shared_ptr<Change> change) {
  if (call->node.readiness() == Readiness::draining) co_return fail(Code::shutting_down);
  co_return co_await call->work.see_through(std::move(change));
}

Task<Result<Answer>> claim(Call* call) {
  CARREL_CO_TRY(Asked about, asked(*call));
  CARREL_CO_TRY_VOID(about.desk->check_free(about.host));
  CARREL_CO_TRY(const Body body, co_await read_object(call));
  const auto app = body.json.find("app");
  if (body.json.size() != 1 || app == body.json.end() || !app->is_string())
    co_return fail(Code::invalid_argument,
                   R"(a host name is claimed for an app: send {"app": "shop"})");
  AppName name(app->get<std::string>());
  co_return co_await see_through(
      call, std::make_shared<Claiming>(*call, std::move(about), std::move(name)));
}

Task<Result<Answer>> give_up(Call* call) {
  CARREL_CO_TRY(Asked about, asked(*call));
  co_return co_await see_through(call, std::make_shared<GivingUp>(*call, std::move(about)));
}

struct Show final : AnsweringStep {
  using AnsweringStep::AnsweringStep;
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await tenant::require(&transaction, call->tenant));
    CARREL_CO_TRY(claim, co_await hosts::find_claim(&transaction, call->tenant, host));
    if (!claim) co_return fail(Code::not_found, "the tenant does not claim this host name");
    Json json = describe(*claim, call->tenant, *call->hosts);
    if (claim->proven) add_certificate(json, claim->host, *call);
    answer = json_answer(json);
    co_return Result<void>();
  }
  std::string host;
  std::optional<Claim> claim;
};

Task<Result<Answer>> show(Call* call) {
  CARREL_CO_TRY(Asked about, asked(*call));
  Show step(call);
  step.host = std::move(about.host);
  co_return co_await commit_answering(call, call->tenant, {}, &step);
}

// The claim as it is by now, with why it is not proven.
Task<Result<Answer>> check(Call* call) {
  CARREL_CO_TRY(Asked about, asked(*call));
  Show step(call);
  step.host = about.host;
  CARREL_CO_TRY(Answer answer, co_await commit_answering(call, call->tenant, {}, &step));
  if (step.claim->proven) co_return answer;
  const auto proof = co_await about.desk->prove(call->tenant, about.host);
  if (proof) co_return co_await see_through(call, std::make_shared<Proof>(*call, std::move(about)));
  if (proof.error().code() != Code::permission_denied) co_return std::unexpected(proof.error());
  Json json = describe(*step.claim, call->tenant, *about.desk);
  json["problem"] = proof.error().message();
  co_return json_answer(json);
}

struct List final : AnsweringStep {
  using AnsweringStep::AnsweringStep;
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await tenant::require(&transaction, call->tenant));
    CARREL_CO_TRY(const auto page, co_await hosts::list_claims(&transaction, call->tenant,
                                                               query.after, query.limit));
    Json claims = Json::array();
    for (const Claim& each : page.claims) {
      claims.push_back(describe(each));
      if (each.proven) add_certificate(claims.back(), each.host, *call);
    }
    Json json = {{"hosts", std::move(claims)}};
    if (!page.end && !page.claims.empty()) json["next"] = page.claims.back().host;
    answer = json_answer(json);
    co_return Result<void>();
  }
  PageQuery query;
};

Result<PageQuery> read_query(const Call& call) {
  CARREL_TRY(PageQuery query, read_page_query(call.request().query));
  if (query.prefix.empty()) return query;
  return fail(Code::invalid_argument, "host names are asked for with after and limit");
}

Task<Result<Answer>> list(Call* call) {
  if (call->hosts == nullptr) co_return fail(Code::unavailable);
  List step(call);
  CARREL_CO_TRY(step.query, read_query(*call));
  co_return co_await commit_answering(call, call->tenant, {}, &step);
}

// For the operator, who settles whose a name is.
Task<Result<Answer>> list_all(Call* call) {
  if (call->hosts == nullptr) co_return fail(Code::unavailable);
  CARREL_CO_TRY(const PageQuery query, read_query(*call));
  CARREL_CO_TRY(const auto all, call->hosts->proven());
  auto at = std::ranges::upper_bound(all.hosts, query.after, {}, &hosts::Proven::host);
  Json list = Json::array();
  for (; at != all.hosts.end() && list.size() < query.limit; ++at) {
    list.push_back({{"host", at->host},
                    {"tenant", at->scope.tenant.str()},
                    {"app", at->scope.app.str()},
                    {"proven", time_text(at->since)}});
    add_certificate(list.back(), at->host, *call);
  }
  Json json = {{"hosts", list}};
  if (at != all.hosts.end() && !list.empty()) json["next"] = list.back()["host"];
  co_return json_answer(json);
}

}  // namespace

std::span<const Operation> host_operations() {
  static constexpr auto kOperations = std::to_array<Operation>({
      {"nodeHosts", "GET", "/v1/hosts", list_all},
      {"hosts", "GET", "/v1/tenants/{tenant}/hosts", list},
      {"claimHost", "PUT", "/v1/tenants/{tenant}/hosts/{host}", claim},
      {"host", "GET", "/v1/tenants/{tenant}/hosts/{host}", show},
      {"giveUpHost", "DELETE", "/v1/tenants/{tenant}/hosts/{host}", give_up},
      {"checkHost", "POST", "/v1/tenants/{tenant}/hosts/{host}:check", check},
  });
  return kOperations;
}

}  // namespace carrel::api
