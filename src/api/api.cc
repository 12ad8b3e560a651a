#include "api/api.h"

#include "api/call.h"
#include "wasi/names.h"

namespace carrel::api {
namespace {

using async::Task;

// What was wrong with the request, besides the title: these messages are the API's own. What went
// wrong inside stays in the log.
Answer refusal(const Error& error, std::uint64_t id) {
  const bool own = http_status(error.code()) < 500 || error.code() == Code::quota_exceeded;
  Answer answer = own ? explained_problem(error, id) : problem(error, id);
  if (error.code() == Code::too_many_requests) answer.head.headers.emplace_back("retry-after", "1");
  return answer;
}

Answer not_allowed(const std::string& methods, std::uint64_t id) {
  Answer answer = problem(Error(Code::method_not_allowed), id);
  answer.head.headers.emplace_back("allow", methods);
  return answer;
}

// The tenant that the path names.
Result<std::optional<TenantName>> tenant_of(const Match& match) {
  for (const Parameter& parameter : match.parameters) {
    if (parameter.name != "tenant") continue;
    const auto text = wasi::decode_name(parameter.text);
    CARREL_TRY(TenantName name, tenant::parse_tenant(text.value_or("")));
    return std::optional(std::move(name));
  }
  return std::optional<TenantName>();
}

bool has_all(const turn::Services& services) {
  return services.store != nullptr && services.gate != nullptr && services.sealer != nullptr;
}

}  // namespace

Task<void> Api::handle(net::Exchange& exchange) {
  auto answer = co_await this->answer(&exchange);
  if (exchange.reply.started()) co_return;
  Answer sent = answer ? std::move(*answer) : refusal(answer.error(), exchange.id);
  const std::string body = std::move(sent.body);
  (void)co_await exchange.reply.send(std::move(sent.head), body);
}

// Without a token nobody learns which paths exist.
Task<Result<Answer>> Api::answer(net::Exchange* exchange) {
  const net::Request& request = exchange->request;
  Match match = find_operation(operations_, request.method, request.path);
  const Access* access = match.operation == nullptr ? nullptr : access_of(match.operation->id);
  const bool open = access != nullptr && access->where == Where::open;
  tenant::Principal principal;
  if (!open) {
    CARREL_CO_TRY_VOID(guard_.check_place(request));
    CARREL_CO_TRY(principal, co_await authenticator_.identify(&request, state_, &clock_));
  }
  if (match.operation == nullptr && match.allow.empty())
    co_return fail(Code::not_found, "the API has no such path");
  if (match.operation == nullptr) co_return not_allowed(match.allow, exchange->id);
  if (access == nullptr)
    co_return fail(Code::permission_denied,
                   "nobody may do this: it has no row in the access table");

  CARREL_CO_TRY(const auto named, tenant_of(match));
  if (access->where != Where::body) CARREL_CO_TRY_VOID(authorise(*access, principal, named));
  if (!open && !has_all(state_)) co_return fail(Code::unavailable);
  Call call{.exchange = *exchange,
            .operation = *match.operation,
            .parameters = std::move(match.parameters),
            .tenant = named.value_or(tenant::kNode),
            .principal = std::move(principal),
            .authenticator = authenticator_,
            .services = state_,
            .node = node_,
            .clock = clock_,
            .stage = stage_,
            .hosts = hosts_,
            .fetches = fetches_,
            .bindings = bindings_,
            .recordings = recordings_,
            .shadows = shadows_,
            .deliveries = deliveries_,
            .work = work_};
  co_return co_await match.operation->answer(&call);
}

}  // namespace carrel::api
