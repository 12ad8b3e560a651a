#include "capability/http/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "capability/http/grant.h"
#include "capability/http/redirect.h"
#include "store/store.h"
#include "tenant/meter.h"
#include "turn/state.h"
#include "turn/trace.h"

namespace carrel::capability::http {
namespace {

using std::chrono::milliseconds;

Instant now() { return std::chrono::steady_clock::now(); }

// The guest is left some of its turn's time to say what went wrong.
Instant end_of_call(const turn::Turn& turn) {
  const Nanos share = turn.module.limits.time / 5 * 4;
  return now() + std::min<Nanos>(share, net::CallLimits().total);
}

net::CallLimits limits_until(Instant end) {
  net::CallLimits limits;
  limits.total = std::max(std::chrono::duration_cast<milliseconds>(end - now()), milliseconds(1));
  limits.connect = std::min(limits.connect, limits.total);
  return limits;
}

// The request that a redirect asks for.
std::optional<Failure> redirect(Call& call, int status, std::string_view location, int followed) {
  if (followed == kMostRedirects) {
    return Failure{.number = wasi::Errno::loop,
                   .error = Error(Code::egress_failed,
                                  fmt::format("there are more than {} redirects", kMostRedirects),
                                  "call what they lead to")};
  }
  auto next = follow(call.request, status, location);
  if (!next) {
    return Failure{.number = wasi::Errno::proto,
                   .error = std::move(next).error().within("a redirect that cannot be followed")};
  }
  if (!permits(call.turn.module.grants.http, next->method, next->url)) {
    Failure failure = not_granted(*next);
    failure.error =
        std::move(failure.error).within(fmt::format("it redirects to {}", name_of(*next)));
    return failure;
  }
  call.request = std::move(*next);
  return std::nullopt;
}

}  // namespace

async::Task<void> make(Call* call) {
  if (auto durable = co_await turn::wait_until_durable(call->turn); !durable) {
    call->failure = failure_of(std::move(durable).error());
    co_return;
  }
  if (call->turn.use != nullptr) {
    auto place = co_await tenant::enter_call(&call->turn.state->services.store->shard(),
                                             call->turn.use->allowance());
    if (!place) {
      call->failure = failure_of(std::move(place).error());
      co_return;
    }
    call->place.emplace(std::move(*place));
    call->turn.use->called();
  }
  const Instant end = end_of_call(call->turn);
  for (int followed = 0;; ++followed) {
    const turn::Services& services = call->turn.state->services;
    net::OutgoingRequest request = call->request;
    observe::Span span = turn::trace_call(services.tracer, call->turn.trace, request);
    auto response = co_await services.client->send(call->turn.module.tenant, std::move(request),
                                                   limits_until(end));
    turn::end_call(span, response);
    if (!response) {
      call->failure = failure_of(std::move(response).error());
      co_return;
    }
    const auto location = redirect_of((*response)->head());
    if (!location) {
      call->response = std::move(*response);
      co_return;
    }
    call->failure = redirect(*call, (*response)->head().status, *location, followed);
    if (call->failure) co_return;
  }
}

async::Task<void> receive(Call* call) {
  auto more = co_await call->response->body().wait();
  if (!more) call->failure = failure_of(std::move(more).error());
}

}  // namespace carrel::capability::http
