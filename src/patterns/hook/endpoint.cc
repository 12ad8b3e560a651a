#include "patterns/hook/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "async/first_of.h"
#include "net/caller.h"
#include "net/whole_body.h"
#include "patterns/hook/endpoint_secret.h"
#include "tenant/call_place.h"
#include "tenant/meter.h"
#include "turn/trace.h"

namespace carrel::hook {
namespace {

using async::Task;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::hours kLongestWait{24};

// The keys exist in plain text while a request is signed.
Task<Result<SigningKeys>> keys_of(turn::Services services, TenantName tenant, std::string name) {
  CARREL_CO_TRY(const SecretBytes text, co_await read_secret(services, tenant, name));
  auto keys = SigningKeys::parse(text.view());
  if (!keys) {
    co_return std::unexpected(std::move(keys).error().within(
        fmt::format("the secret {} of tenant {}", name, tenant.str())));
  }
  co_return keys;
}

// Seconds; a date is taken for no wish.
Nanos retry_after(const net::ReplyHead& head) {
  for (const auto& [name, value] : head.headers) {
    if (!net::same_name(name, "retry-after")) continue;
    unsigned seconds = 0;
    const char* const end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, seconds);
    if (read.ec == std::errc() && read.ptr == end)
      return std::min<Nanos>(std::chrono::seconds(seconds), kLongestWait);
  }
  return {};
}

using Place = std::optional<Result<tenant::CallPlace>>;

Task<void> enter(async::Shard* shard, tenant::Allowance* allowance, Place* place) {
  place->emplace(co_await tenant::enter_call(shard, allowance));
}

}  // namespace

Task<Result<EndpointReply>> Endpoints::send(const EndpointCall* call, const SigningKeys* keys,
                                            Instant end, std::string_view token) {
  net::OutgoingRequest request{.method = "POST",
                               .url = call->endpoint->url,
                               .headers = call->message.headers,
                               .body = call->message.body};
  const auto seconds = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count());
  request.headers.emplace_back("webhook-id", call->id);
  request.headers.emplace_back("webhook-timestamp", fmt::format("{}", seconds));
  request.headers.emplace_back("webhook-signature", keys->sign(call->id, seconds, request.body));
  if (!token.empty())
    request.headers.emplace_back("authorization", fmt::format("Bearer {}", token));
  net::CallLimits limits;
  limits.total = std::max(std::chrono::duration_cast<milliseconds>(end - steady_clock::now()),
                          milliseconds(1));
  limits.connect = std::min(limits.connect, limits.total);
  limits.response_bytes = call->most;
  Place place;  // until the answer has been read
  if (services_.meter != nullptr) {
    const tenant::Account account =
        services_.meter->open(call->who.tenant, call->who.app, call->who.module);
    auto& shard = services_.store->shard();
    co_await async::first_of(enter(&shard, account.line().allowance(), &place),
                             shard.sleep_for(limits.total));
    if (!place) co_return fail(Code::egress_timeout);
    if (!*place) co_return std::unexpected(std::move(*place).error());
    account.line().called();
  }
  observe::Span span = turn::trace_call(services_.tracer, call->trace, request);
  const auto answered =
      co_await services_.client->send(call->who.tenant, std::move(request), limits);
  turn::end_call(span, answered);
  if (!answered) co_return std::unexpected(answered.error());
  const auto& response = *answered;
  EndpointReply reply{.status = response->head().status,
                      .retry_after = retry_after(response->head())};
  // What it says beside its status counts for a success only.
  auto body = co_await net::read_whole(&response->body(), call->most);
  if (body) {
    reply.body = std::move(*body);
  } else if (is_success(reply)) {
    co_return std::unexpected(std::move(body).error());
  }
  co_return reply;
}

Task<Result<EndpointReply>> Endpoints::call(EndpointCall call) {
  if (services_.client == nullptr || services_.store == nullptr || services_.sealer == nullptr)
    co_return fail(Code::unavailable, "this process calls no endpoints");
  const Instant end = steady_clock::now() + call.longest;
  CARREL_CO_TRY(const SigningKeys keys,
                co_await keys_of(services_, call.signer, call.endpoint->secret));
  const auto& client = call.endpoint->oauth;
  if (!client) co_return co_await send(&call, &keys, end, {});
  for (bool again = false;; again = true) {
    CARREL_CO_TRY(const auto given,
                  co_await tokens_.get(call.signer, *client, end - steady_clock::now()));
    auto reply = co_await send(&call, &keys, end, given.token.view());
    if (!reply || reply->status != 401) co_return reply;
    tokens_.drop(call.signer, *client, given.token.view());
    if (!given.kept || again) co_return reply;
  }
}

std::string refusal_text(const EndpointReply& reply) {
  const bool elsewhere = reply.status >= 300 && reply.status < 400;
  return fmt::format("it answered {}{}", reply.status,
                     elsewhere ? "; redirects are not followed" : "");
}

}  // namespace carrel::hook
