#include "patterns/function/handler.h"

#include <algorithm>

#include "base/prefetch.h"
#include "patterns/function/idempotency.h"
#include "tenant/identities.h"

namespace carrel::function {
namespace {

constexpr std::string_view kRetryAfterSeconds = "1";

net::ReplyHead head_for(const Error& error) {
  net::ReplyHead head = net::problem_head(error);
  if (error.code() == Code::unauthenticated)
    head.headers.emplace_back("www-authenticate", "Bearer error=\"invalid_token\"");
  if (head.status == 429 || head.status == 503)
    head.headers.emplace_back("retry-after", kRetryAfterSeconds);
  return head;
}

net::ReplyHead text_head(int status) {
  return {.status = status, .headers = {{"content-type", "text/plain; charset=utf-8"}}};
}

// The token of a request with one "Authorization: Bearer TOKEN".
std::string bearer_of(const net::Request& request) {
  constexpr std::string_view kScheme = "Bearer ";
  std::string token;
  int fields = 0;
  for (const net::Header& header : request.headers) {
    if (!net::same_name(header.name, "authorization")) continue;
    ++fields;
    if (net::same_name(header.value.substr(0, kScheme.size()), kScheme))
      token = header.value.substr(kScheme.size());
  }
  return fields == 1 ? token : "";
}

// Errors: those of Identities::identify; a caller without a token, or with one of others, is not
// named.
async::Task<Result<void>> name_caller(tenant::Identities* identities, const net::Request* request,
                                      TenantName tenant, turn::Event* event) {
  std::string token = bearer_of(*request);
  if (token.empty()) co_return Result<void>();
  CARREL_CO_TRY(const auto identity,
                co_await identities->identify(std::move(token), std::move(tenant)));
  if (!identity) co_return Result<void>();
  event->identity =
      identity->claims.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  event->attributes.emplace_back("authtype", "user");
  event->attributes.emplace_back("authid", identity->subject);
  event->attributes.emplace_back("authissuer", identity->issuer->expected.issuer);
  co_return Result<void>();
}

}  // namespace

async::Task<void> FunctionHandler::handle(net::Exchange& exchange) {
  const std::shared_ptr<const Sites> sites = sites_;  // whatever is served meanwhile
  const Site* site = sites->find(exchange.request, exchange.id);
  if (site == nullptr) co_return co_await refuse(exchange, Error(Code::not_found));
  if (!site->functions.empty()) prefetch(site->functions.front());  // most apps have one

  turn::HttpTarget target;
  RouteMatch match = site->router.match(exchange.request.method, exchange.request.path, target);
  switch (match.kind) {
    case RouteMatch::Kind::found:
      break;
    case RouteMatch::Kind::not_found:
      co_return co_await refuse(exchange, Error(Code::not_found));
    case RouteMatch::Kind::bad_request:
      co_return co_await refuse(exchange, Error(Code::bad_request));
    case RouteMatch::Kind::health: {
      net::ReplyHead head = text_head(200);
      (void)co_await exchange.reply.send(std::move(head), "OK");
      co_return;
    }
    case RouteMatch::Kind::method_not_allowed:
      co_return co_await refuse_method(exchange, std::move(match.allow));
  }
  if (match.target < site->functions.size()) {
    co_await run(exchange, site->functions[match.target], target);
  } else {
    co_await send_file(exchange, site->statics[match.target - site->functions.size()], target);
  }
}

async::Task<void> FunctionHandler::run(net::Exchange& exchange, const Function& function,
                                       const turn::HttpTarget& target) {
  auto [here, span] = turn::trace_request(tracer_, exchange.request, target.route);
  auto failed = co_await run_turn(&exchange, &function, &target, std::move(here));
  const bool broken = failed && exchange.reply.started();
  if (broken) exchange.reply.abort();
  if (failed && !broken) co_await refuse(exchange, *failed);
  turn::end_request(span, exchange.reply.status(), failed);
}

// Nothing: it has been answered.
async::Task<std::optional<Error>> FunctionHandler::run_turn(net::Exchange* exchange,
                                                            const Function* function,
                                                            const turn::HttpTarget* target,
                                                            turn::Trace trace) {
  const net::Request& request = exchange->request;
  prefetch(*function->program);
  turn::Event event{.source = function->module.app.str(),
                    .type = "carrel.http.request",
                    .subject = request.path,
                    .time = system_clock().wall(),
                    .body = request.has_body ? &exchange->body : nullptr,
                    .request = &request,
                    .target = target};
  if (identities_ != nullptr) {
    auto named = co_await name_caller(identities_, &request, function->module.tenant, &event);
    if (!named) {
      if (named.error().code() == Code::unauthenticated) strangers_.add();
      co_return std::move(named).error();
    }
  }
  turn::Turn turn{.id = exchange->id,
                  .module = function->module,
                  .event = event,
                  .reply = exchange->reply,
                  .log = guest_log_,
                  .trace = std::move(trace)};
  std::optional<Idempotency> idempotency;
  if (const auto key = idempotency_key(request, function->module)) {
    if (!*key) co_return key->error();
    idempotency.emplace(function->module.name, **key, request);
    turn.interceptor = &*idempotency;
    turn.key = idempotency->turn_key();
  }
  turn::Outcome outcome = co_await runtime_.run(function->program, turn);
  if (outcome.error)
    failures_.failed(function->module, exchange->id, *outcome.error, outcome.guest);
  co_return std::move(outcome.error);
}

async::Task<void> FunctionHandler::send_file(net::Exchange& exchange,
                                             std::shared_ptr<const StaticFiles> files,
                                             const turn::HttpTarget& target) {
  auto sent = co_await StaticFiles::serve(std::move(files), exchange.request, target.raw_path_info,
                                          exchange.reply);
  if (sent) co_return;
  if (exchange.reply.started()) {
    exchange.reply.abort();
  } else {
    co_await refuse(exchange, std::move(sent).error());
  }
}

async::Task<void> FunctionHandler::refuse(net::Exchange& exchange, Error error) {
  net::ReplyHead head = head_for(error);
  const std::string body = net::problem_body(error, exchange.id);
  (void)co_await exchange.reply.send(std::move(head), body);
}

// OPTIONS asks what is allowed; any other method is told.
async::Task<void> FunctionHandler::refuse_method(net::Exchange& exchange, std::string allow) {
  if (exchange.request.method == "OPTIONS") {
    net::ReplyHead head{.status = 204, .headers = {{"allow", std::move(allow)}}};
    (void)co_await exchange.reply.send(std::move(head), "");
    co_return;
  }
  const Error error(Code::method_not_allowed);
  net::ReplyHead head = net::problem_head(error);
  head.headers.emplace_back("allow", std::move(allow));
  const std::string body = net::problem_body(error, exchange.id);
  (void)co_await exchange.reply.send(std::move(head), body);
}

}  // namespace carrel::function
