#include "app/oci/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "async/first_of.h"
#include "base/base64.h"
#include "capability/http/redirect.h"
#include "net/url.h"

namespace carrel::oci {
namespace {

namespace redirects = capability::http;

constexpr int kMostRedirects = 5;
constexpr std::size_t kPiece = 64 << 10;

// docker.io is the name, and not the host, of a registry.
std::string host_of(const std::string& registry) {
  return registry == "docker.io" ? "registry-1.docker.io" : registry;
}

struct Outcome {
  std::optional<Result<Response>> response;
  std::optional<Result<void>> waited;
};

async::Task<void> call(net::Caller* caller, TenantName tenant, net::OutgoingRequest request,
                       net::CallLimits limits, std::shared_ptr<Outcome> into) {
  into->response = co_await caller->send(std::move(tenant), std::move(request), limits);
}

async::Task<void> wait_for(net::IncomingResponse* response, std::shared_ptr<Outcome> into) {
  into->waited = co_await response->body().wait();
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(async::Shard& shard, Reference reference,
                                               SessionOptions options) {
  const std::string host = host_of(reference.registry);
  CARREL_TRY(net::Url base, net::parse_url("https://" + host + "/v2/"));
  if (net::is_loopback(base) ||
      std::ranges::find(options.plain_http, reference.registry) != options.plain_http.end()) {
    CARREL_TRY(base, net::parse_url("http://" + host + "/v2/"));
  }
  base.target += reference.repository + "/";
  return std::unique_ptr<Session>(
      new Session(shard, std::move(reference), std::move(options), std::move(base)));
}

net::Url Session::url(std::string_view rest) const {
  net::Url url = base_;
  url.target += rest;
  return url;
}

bool Session::is_home(const net::Url& url) const {
  return url.scheme == base_.scheme && url.host == base_.host && url.port == base_.port;
}

async::Task<Result<Response>> Session::once(net::OutgoingRequest request,
                                            std::uint64_t most_bytes) {
  const net::Url url = request.url;
  const bool home = is_home(url);
  // What is sent takes as long as it takes; then the answer has to come.
  const bool sends = !request.body.empty();
  const net::CallLimits limits{.total = options_.total, .response_bytes = most_bytes};
  auto outcome = std::make_shared<Outcome>();
  const int ended =
      co_await async::first_of(call(home ? options_.named : options_.elsewhere, options_.tenant,
                                    std::move(request), limits, outcome),
                               shard_.sleep_for(sends ? options_.total : options_.stall));
  if (ended != 0) {
    co_return fail(Code::egress_timeout, fmt::format("{} does not answer", url.authority()));
  }
  if (!*outcome->response) {
    co_return std::unexpected(std::move(*outcome->response).error().within(url.authority()));
  }
  co_return std::move(*outcome->response);
}

async::Task<Result<Response>> Session::send(net::OutgoingRequest request,
                                            std::uint64_t most_bytes) {
  const bool follows = request.method == "GET" || request.method == "HEAD";
  bool challenged = false;
  for (int moves = 0;;) {
    net::OutgoingRequest sent = request;
    if (is_home(sent.url) && !authorization_.empty()) {
      sent.headers.emplace_back("authorization", authorization_);
    }
    CARREL_CO_TRY(Response response, co_await once(std::move(sent), most_bytes));
    const net::ReplyHead& head = response->head();
    if (head.status == 401) {
      if (challenged || !is_home(request.url)) co_return std::unexpected(unauthenticated());
      challenged = true;
      std::vector<Challenge> challenges;
      for (const auto& [name, value] : head.headers) {
        if (!net::same_name(name, "www-authenticate")) continue;
        for (Challenge& each : parse_challenges(value)) challenges.push_back(std::move(each));
      }
      response.reset();
      CARREL_CO_TRY_VOID(co_await authenticate(std::move(challenges)));
      continue;
    }
    const auto location = redirects::redirect_of(head);
    if (!follows || !location) co_return response;
    if (++moves > kMostRedirects) {
      co_return fail(Code::registry_failed,
                     fmt::format("{} sends us on without end", reference_.registry));
    }
    auto next = redirects::follow(request, head.status, *location);
    if (!next) {
      co_return std::unexpected(
          std::move(next).error().within(reference_.registry + " sends us elsewhere"));
    }
    if (request.url.scheme == "https" && next->url.scheme != "https") {
      co_return fail(Code::registry_failed,
                     fmt::format("{} sends us to {}, which is not https", reference_.registry,
                                 next->url.authority()));
    }
    request = std::move(*next);
  }
}

async::Task<Result<void>> Session::authenticate(std::vector<Challenge> challenges) {
  const auto bearer = std::ranges::find(challenges, "bearer", &Challenge::scheme);
  if (bearer != challenges.end()) co_return co_await fetch_token(*bearer);
  const bool basic = std::ranges::find(challenges, "basic", &Challenge::scheme) != challenges.end();
  if (!basic || !options_.login || options_.login->user.empty()) {
    co_return std::unexpected(unauthenticated());
  }
  authorization_ = "Basic " + to_base64(options_.login->user + ":" + options_.login->password);
  co_return Result<void>();
}

async::Task<Result<void>> Session::wait(net::IncomingResponse* response) {
  auto outcome = std::make_shared<Outcome>();
  const int ended =
      co_await async::first_of(wait_for(response, outcome), shard_.sleep_for(options_.stall));
  if (ended != 0) {
    co_return fail(Code::egress_timeout,
                   fmt::format("{} has sent nothing for {} s", reference_.registry,
                               options_.stall.count() / 1000));
  }
  co_return std::move(*outcome->waited);
}

async::Task<Result<std::string>> Session::read(net::IncomingResponse* response) {
  async::ByteSource& body = response->body();
  std::string all;
  std::array<std::byte, kPiece> piece;
  while (!body.finished()) {
    const std::size_t n = body.read(piece);
    all.append(reinterpret_cast<const char*>(piece.data()), n);
    if (n > 0 || body.finished()) continue;
    CARREL_CO_TRY_VOID(co_await wait(response));
  }
  co_return all;
}

}  // namespace carrel::oci
