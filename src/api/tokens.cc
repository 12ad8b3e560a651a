// Tokens: create, list, revoke; of a tenant and all below it, or of the node.
//
// Nobody gives what they do not have: a token has no verb that its maker lacks, and does not
// outlive the token that made it.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/audit.h"
#include "api/call.h"
#include "api/query.h"
#include "api/step.h"
#include "base/utf8.h"
#include "tenant/tenant.h"
#include "tenant/token.h"

namespace carrel::api {
namespace {

using async::Task;
using tenant::Token;
using Json = nlohmann::json;

constexpr std::uint64_t kLongest = 10ULL * 366 * 24 * 3600;  // seconds that a token is good for

Task<Result<void>> require_scope(Call* call, store::Transaction* transaction) {
  if (call->tenant == tenant::kNode) co_return Result<void>();
  CARREL_CO_TRY(const auto found, co_await tenant::require(transaction, call->tenant));
  (void)found;
  co_return Result<void>();
}

Result<tenant::VerbSet> read_verbs(const Json& json) {
  tenant::VerbSet verbs;
  for (const Json& each : json) {
    if (!each.is_string()) return fail(Code::invalid_argument, "verbs is an array of strings");
    CARREL_TRY(const auto verb, tenant::parse_verb(each.get<std::string>()));
    verbs.add({verb});
  }
  return verbs;
}

// {"name": "ci", "verbs": ["deploy"], "ttl": 86400}
Result<Token> read_token(const Json& json, const Call& call) {
  Token token{.scope = call.tenant, .created = call.clock.wall(), .creator = call.principal.id};
  for (const auto& [key, value] : json.items()) {
    if (key == "name" && value.is_string()) {
      token.name = value.get<std::string>();
      if (token.name.size() > tenant::kMaxTokenName)
        return fail(Code::invalid_argument,
                    fmt::format("a token's name is at most {} bytes long", tenant::kMaxTokenName));
    } else if (key == "verbs" && value.is_array()) {
      CARREL_TRY(token.verbs, read_verbs(value));
    } else if (key == "ttl" && value.is_number_unsigned()) {
      const auto seconds = value.get<std::uint64_t>();
      if (seconds == 0 || seconds > kLongest)
        return fail(Code::invalid_argument, fmt::format("ttl is a number from 1 to {}", kLongest));
      token.expires = token.created + std::chrono::seconds(seconds);
    } else {
      return fail(Code::invalid_argument,
                  "a token is created with name (text), verbs (an array) and ttl (seconds)");
    }
  }
  if (token.verbs.empty())
    return fail(Code::invalid_argument, R"(a token needs verbs: send {"verbs": ["read"]})");
  if (!call.principal.verbs.includes(token.verbs))
    return fail(Code::permission_denied, "a token cannot be given a verb that its maker lacks");
  const auto& end = call.principal.expires;
  if (end && (!token.expires || *token.expires > *end)) token.expires = end;
  return token;
}

struct Creation final : AnsweringStep {
  using AnsweringStep::AnsweringStep;
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await require_scope(call, &transaction));
    CARREL_CO_TRY_VOID(tenant::keep(transaction, token));
    Json json = to_json(token);
    CARREL_CO_TRY_VOID(
        record(transaction, *call, call->tenant, {"tokens/" + token.id, Json(), json}));
    json["token"] = text;
    answer = json_answer(json);
    answer.head.status = 201;
    co_return Result<void>();
  }
  Token token;
  std::string text;
};

Task<Result<Answer>> create(Call* call) {
  CARREL_CO_TRY(const Body body, co_await read_object(call));
  Creation step(call);
  CARREL_CO_TRY(step.token, read_token(body.json, *call));
  CARREL_CO_TRY(step.text, tenant::make_secret(step.token));
  co_return co_await commit_once(call, tenant::kNode, {}, body.text, &step);
}

struct List final : AnsweringStep {
  using AnsweringStep::AnsweringStep;
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await require_scope(call, &transaction));
    CARREL_CO_TRY(
        const store::NamePage page,
        co_await tenant::list_tokens(&transaction, call->tenant, query.after, query.limit));
    Json entries = Json::array();
    for (const auto& entry : page.entries) {
      const std::string id(tenant::id_in(entry.name));
      CARREL_CO_TRY(const auto found, co_await tenant::find_token(&transaction, id));
      if (found) entries.push_back(to_json(*found));
    }
    Json json = {{"tokens", std::move(entries)}};
    if (!page.end && !page.entries.empty()) json["next"] = tenant::id_in(page.entries.back().name);
    answer = json_answer(json);
    co_return Result<void>();
  }
  PageQuery query;
};

Task<Result<Answer>> list(Call* call) {
  List step(call);
  CARREL_CO_TRY(step.query, read_page_query(call->request().query));
  if (!step.query.prefix.empty())
    co_return fail(Code::invalid_argument, "tokens are asked for with after and limit");
  co_return co_await commit_answering(call, tenant::kNode, {}, &step);
}

struct Revocation final : AnsweringStep {
  using AnsweringStep::AnsweringStep;
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(const auto found, co_await tenant::find_token(&transaction, id));
    if (!found || found->scope != call->tenant)
      co_return fail(Code::not_found, "the tenant has no token of that id");
    CARREL_CO_TRY_VOID(tenant::erase(transaction, *found));
    CARREL_CO_TRY_VOID(
        record(transaction, *call, call->tenant, {"tokens/" + id, to_json(*found), Json()}));
    answer = {{.status = 204, .headers = {{"cache-control", "no-store"}}}, ""};
    co_return Result<void>();
  }
  std::string id;
};

Task<Result<Answer>> revoke(Call* call) {
  Revocation step(call);
  step.id = call->raw("id");
  if (!tenant::is_token_id(step.id))
    co_return fail(Code::invalid_argument,
                   "a token's id is its 16 hexadecimal digits after \"carrel_\"");
  co_return co_await commit_answering(call, tenant::kNode, {}, &step);
}

}  // namespace

std::span<const Operation> token_operations() {
  static constexpr auto kOperations = std::to_array<Operation>({
      {"nodeTokens", "GET", "/v1/tokens", list},
      {"createNodeToken", "POST", "/v1/tokens", create},
      {"revokeNodeToken", "DELETE", "/v1/tokens/{id}", revoke},
      {"tokens", "GET", "/v1/tenants/{tenant}/tokens", list},
      {"createToken", "POST", "/v1/tenants/{tenant}/tokens", create},
      {"revokeToken", "DELETE", "/v1/tenants/{tenant}/tokens/{id}", revoke},
  });
  return kOperations;
}

}  // namespace carrel::api
