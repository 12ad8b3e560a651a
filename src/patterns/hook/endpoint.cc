#include "patterns/hook/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "net/caller.h"
#include "patterns/hook/signature.h"
#include "store/sealer.h"

namespace carrel::hook {
namespace {

using async::Task;
using std::chrono::milliseconds;

const store::Place kSecrets{.kind = store::Kind::secret, .store = ""};
constexpr std::chrono::hours kLongestWait{24};

// The keys exist in plain text while a request is signed.
Task<Result<SigningKeys>> keys_of(turn::Services services, TenantName tenant, std::string name) {
  store::Transaction transaction(*services.store, tenant, {});
  CARREL_CO_TRY(const store::Record* const found,
                co_await transaction.read(kSecrets, name, store::Track::no));
  if (found == nullptr) {
    co_return fail(Code::not_found,
                   fmt::format("the secret {} of tenant {} is not set", name, tenant.str()));
  }
  CARREL_CO_TRY(const SecretBytes text, services.sealer->open(tenant, name, found->bytes));
  auto keys = SigningKeys::parse(text.view());
  if (!keys) {
    co_return std::unexpected(std::move(keys).error().within(
        fmt::format("the secret {} of tenant {}", name, tenant.str())));
  }
  co_return keys;
}

Task<Result<std::string>> read_all(async::ByteSource* body, std::size_t most) {
  std::string text;
  std::array<std::byte, 16 << 10> piece;
  while (!body->finished()) {
    const std::size_t size = body->read(piece);
    if (size > most - text.size())
      co_return fail(Code::egress_too_large, fmt::format("it answered more than {} bytes", most));
    text.append(reinterpret_cast<const char*>(piece.data()), size);
    if (size == 0 && !body->finished()) CARREL_CO_TRY_VOID(co_await body->wait());
  }
  co_return text;
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

}  // namespace

Task<Result<EndpointReply>> call_endpoint(turn::Services services, const Clock* clock,
                                          EndpointCall call) {
  if (services.client == nullptr || services.store == nullptr || services.sealer == nullptr)
    co_return fail(Code::unavailable, "this process calls no endpoints");
  net::OutgoingRequest request{.method = "POST",
                               .url = call.endpoint->url,
                               .headers = std::move(call.message.headers),
                               .body = std::move(call.message.body)};
  CARREL_CO_TRY(const SigningKeys keys,
                co_await keys_of(services, call.tenant, call.endpoint->secret));
  const auto seconds = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(clock->wall().time_since_epoch()).count());
  request.headers.emplace_back("webhook-id", call.id);
  request.headers.emplace_back("webhook-timestamp", fmt::format("{}", seconds));
  request.headers.emplace_back("webhook-signature", keys.sign(call.id, seconds, request.body));
  net::CallLimits limits;
  limits.total = std::max(std::chrono::duration_cast<milliseconds>(call.longest), milliseconds(1));
  limits.connect = std::min(limits.connect, limits.total);
  limits.response_bytes = call.most;
  CARREL_CO_TRY(const auto response,
                co_await services.client->send(call.tenant, std::move(request), limits));
  EndpointReply reply{.status = response->head().status,
                      .retry_after = retry_after(response->head())};
  // What it says beside its status counts for a success only.
  auto body = co_await read_all(&response->body(), call.most);
  if (body) {
    reply.body = std::move(*body);
  } else if (is_success(reply)) {
    co_return std::unexpected(std::move(body).error());
  }
  co_return reply;
}

std::string refusal_text(const EndpointReply& reply) {
  const bool elsewhere = reply.status >= 300 && reply.status < 400;
  return fmt::format("it answered {}{}", reply.status,
                     elsewhere ? "; redirects are not followed" : "");
}

}  // namespace carrel::hook
