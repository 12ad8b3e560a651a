#include "net/client.h"

#include <fmt/format.h>

#include <algorithm>

#include "async/first_of.h"
#include "base/secret_bytes.h"
#include "net/client_message.h"
#include "net/client_pool.h"
#include "net/client_response.h"
#include "net/client_upload.h"

namespace carrel::net {
namespace {

Instant now() { return std::chrono::steady_clock::now(); }

// One call's way. Lives in the frame of `send`, and shares nothing that may go before it.
struct Call {
  TenantName tenant;
  OutgoingRequest request;
  CallLimits limits;
  std::string message;  // as sent
  Instant until;
  std::shared_ptr<TlsContext> tls = nullptr;  // null: plain

  // There may be secrets in what is sent.
  ~Call() {
    wipe(message);
    for (auto& [name, value] : request.headers) wipe(value);
    for (auto& [name, value] : request.trailers) wipe(value);
  }

  Origin origin() const { return {request.url.scheme, request.url.host, request.url.port}; }
};

struct Answered {
  Result<std::vector<IpAddress>> addresses;
};

async::Task<void> ask(Resolver* resolver, std::string host, std::shared_ptr<Answered> into) {
  into->addresses = co_await resolver->resolve(std::move(host));
}

// A body with trailers is one chunk, and what ends it.
struct WholeFraming {
  std::string before, after;
};
Result<WholeFraming> framing_of(const OutgoingRequest& request) {
  WholeFraming framing;
  if (request.trailers.empty() || request.stream) return framing;
  CARREL_TRY(framing.after, write_last_chunk(request.trailers));
  if (request.body.empty()) return framing;
  framing.before = fmt::format("{:x}\r\n", request.body.size());
  framing.after.insert(0, "\r\n");
  return framing;
}

Result<void> write_message(Call& call) {
  CARREL_TRY(std::string head, write_request_head(call.request));
  CARREL_TRY(WholeFraming framing, framing_of(call.request));
  std::string& body = call.request.body;
  call.message.reserve(kNeverInline + head.size() + framing.before.size() + body.size() +
                       framing.after.size());
  call.message.append(head).append(framing.before).append(body).append(framing.after);
  wipe(head);
  wipe(framing.after);
  wipe(body);
  std::string().swap(body);  // it may be large
  return {};
}

// The response's own head, read off the socket's input.
async::Task<Result<ResponseHead>> receive_head(ClientSocket* socket, Call* call) {
  std::size_t seen = 0;
  for (int interim = 0; interim <= kMaxInterim;) {
    std::string& input = socket->input();
    const HeadEnd end = find_head_end(input, seen);
    if (end.state == HeadEnd::State::malformed)
      co_return fail(Code::egress_bad_response, "the response is not HTTP/1");
    if (end.state == HeadEnd::State::found && end.size <= call->limits.head_bytes) {
      auto head =
          parse_response_head(std::string_view(input).substr(0, end.size), call->request.method);
      if (!head) co_return std::unexpected(std::move(head).error());
      input.erase(0, end.size);
      if (head->head.status >= 200) co_return head;
      seen = 0;
      ++interim;
      continue;
    }
    if (input.size() > call->limits.head_bytes)
      co_return fail(Code::egress_too_large, "the response's head is too large");
    seen = input.size();
    CARREL_CO_TRY(const std::size_t received, co_await socket->receive(call->until));
    if (received == 0)
      co_return fail(Code::egress_closed, "the connection was closed before a response");
  }
  co_return fail(Code::egress_bad_response, "the response does not come to its point");
}

}  // namespace

struct Client::Impl {
  async::Shard& shard;
  ClientOptions options;
  std::unique_ptr<Resolver> own_resolver;
  Resolver* resolver;
  std::shared_ptr<ClientPool> pool;
  Figures figures;

  Impl(async::Shard& s, ClientOptions o);

  async::Task<Result<std::vector<IpAddress>>> find(std::string host, Instant until);
  async::Task<Result<std::vector<IpAddress>>> addresses(const Call* call, Instant until);
  async::Task<Result<std::unique_ptr<ClientSocket>>> connect(const Call* call);
  async::Task<Result<std::unique_ptr<IncomingResponse>>> exchange(Call* call,
                                                                  CallConnection* connection);
  async::Task<Result<std::unique_ptr<IncomingResponse>>> exchange_kept(Call* call,
                                                                       CallConnection* connection);
};

Client::Impl::Impl(async::Shard& s, ClientOptions o) : shard(s), options(std::move(o)) {
  if (options.resolver == nullptr) own_resolver = std::make_unique<SystemResolver>(shard);
  resolver = own_resolver ? own_resolver.get() : options.resolver;
  pool = std::make_shared<ClientPool>(
      shard, ClientPool::Limits{.connections_a_tenant = options.connections_a_tenant,
                                .idle_a_host = options.idle_a_host,
                                .idle = options.idle});
}

async::Task<Result<std::vector<IpAddress>>> Client::Impl::find(std::string host, Instant until) {
  if (const auto address = parse_ip(host)) co_return std::vector{*address};
  auto answered = std::make_shared<Answered>();
  const int ended =
      co_await async::first_of(ask(resolver, host, answered), shard.sleep_until(until));
  if (ended != 0)
    co_return fail(Code::egress_timeout, fmt::format("{} is not resolved in time", host));
  co_return std::move(answered->addresses);
}

// One answer that may not be called makes all suspect: a name that points inside on purpose.
async::Task<Result<std::vector<IpAddress>>> Client::Impl::addresses(const Call* call,
                                                                    Instant until) {
  const Url url = call->request.url;
  CARREL_CO_TRY(auto found, co_await find(url.host, until));
  for (const IpAddress& address : found) {
    const auto refusal = options.policy.refusal(address, url.port);
    if (!refusal) continue;
    co_return fail(Code::egress_address,
                   fmt::format("{} may not be called: {}", url.host, *refusal),
                   "an operator may allow the range of addresses");
  }
  if (found.empty()) co_return fail(Code::egress_name, fmt::format("{} has no address", url.host));
  co_return found;
}

// Each address has its share of the time that is left.
async::Task<Result<std::unique_ptr<ClientSocket>>> Client::Impl::connect(const Call* call) {
  const Instant until = std::min(call->until, now() + call->limits.connect);
  if (!options.socket.empty())
    co_return co_await ClientSocket::open(shard, Peer{.socket = options.socket}, until);
  CARREL_CO_TRY(const auto found, co_await addresses(call, until));
  Result<std::unique_ptr<ClientSocket>> socket;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Nanos share = (until - now()) / static_cast<int>(found.size() - i);
    Peer peer{.address = found[i],
              .port = call->request.url.port,
              .host = call->request.url.host,
              .tls = call->tls};
    socket = co_await ClientSocket::open(shard, std::move(peer), now() + share);
    if (socket) break;
  }
  co_return socket;
}

// On success the connection goes to the response.
async::Task<Result<std::unique_ptr<IncomingResponse>>> Client::Impl::exchange(
    Call* call, CallConnection* connection) {
  ClientSocket* socket = connection->socket.get();
  CARREL_CO_TRY(bool taken,
                co_await socket->send(&call->message, call->until, call->limits.head_bytes));
  if (taken && call->request.stream) {
    const Upload upload{
        .body = *call->request.stream, .until = call->until, .most_heard = call->limits.head_bytes};
    CARREL_CO_TRY(taken, co_await send_body(&shard, socket, upload));
  }
  auto head = co_await receive_head(socket, call);
  if (!head) co_return std::unexpected(std::move(head).error());
  const ClientResponse::Rest rest{.until = call->until,
                                  .bytes_left = call->limits.response_bytes,
                                  .keep = taken && head->keep_alive};
  co_return std::make_unique<ClientResponse>(std::move(*connection), std::move(*head), rest);
}

// A kept connection may be closed by the peer while our request is on its way, so only a call that
// may be made twice uses one, and is made again if nothing came back. A local server keeps them for
// longer than we do.
async::Task<Result<std::unique_ptr<IncomingResponse>>> Client::Impl::exchange_kept(
    Call* call, CallConnection* connection) {
  const bool repeatable = is_repeatable(call->request.method) && !call->request.stream;
  if (!repeatable && options.socket.empty()) co_return nullptr;
  connection->socket = connection->lease.take_idle(connection->origin);
  if (!connection->socket) co_return nullptr;
  auto response = co_await exchange(call, connection);
  if (response || !repeatable) co_return response;
  const bool answered = !connection->socket->input().empty();
  if (answered || now() >= call->until) co_return response;
  co_return nullptr;
}

Client::Client(async::Shard& shard, ClientOptions options)
    : impl_(std::make_unique<Impl>(shard, std::move(options))) {}
Client::~Client() { impl_->pool->close(); }

const Client::Figures& Client::figures() const { return impl_->figures; }

async::Task<Result<std::unique_ptr<IncomingResponse>>> Client::send(TenantName tenant,
                                                                    OutgoingRequest request,
                                                                    CallLimits limits) {
  const Instant began = now();
  auto response = co_await send_alone(std::move(tenant), std::move(request), limits);
  Figures& figures = impl_->figures;
  if (response) {
    figures.outcomes.add_success();
    figures.durations.add(now() - began);
  } else {
    figures.outcomes.add(response.error().code());
  }
  co_return response;
}

async::Task<Result<std::unique_ptr<IncomingResponse>>> Client::send_alone(TenantName tenant,
                                                                          OutgoingRequest request,
                                                                          CallLimits limits) {
  Call call{.tenant = std::move(tenant),
            .request = std::move(request),
            .limits = limits,
            .message = {},
            .until = now() + limits.total};
  CARREL_CO_TRY_VOID(write_message(call));
  if (call.request.url.scheme == "https") {
    call.tls = impl_->options.tls;
    if (!call.tls) co_return fail(Code::unavailable, "this process has no roots for https");
  }
  CARREL_CO_TRY(auto lease, co_await impl_->pool->enter(call.tenant, call.until));
  CallConnection connection{.lease = std::move(lease), .origin = call.origin()};
  CARREL_CO_TRY(auto response, co_await impl_->exchange_kept(&call, &connection));
  if (response) co_return response;
  connection.socket.reset();
  connection.lease.make_room();
  CARREL_CO_TRY(connection.socket, co_await impl_->connect(&call));
  co_return co_await impl_->exchange(&call, &connection);
}

}  // namespace carrel::net
