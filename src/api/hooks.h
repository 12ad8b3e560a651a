// The data listener: applications call their hook points here.
//
//   GET  /v1/hooks                     the app's points
//   POST /v1/hooks/{point}:invoke      the body is the input, as JSON; ?tenant=NAME: for whom
//
// and what events.h, endpoints.h and shadow.h have. The host name says which app. Who calls shows a
// token with the verb "invoke" on the app's tenant. Refusals are problem details that name the
// field.
#pragma once

#include <memory>

#include "api/answer.h"
#include "api/authenticator.h"
#include "api/endpoints.h"
#include "api/events.h"
#include "api/shadow.h"
#include "base/clock.h"
#include "net/http.h"
#include "patterns/hook/invoker.h"
#include "turn/state.h"

namespace carrel::api {

// Owner: the shard's unit; what it refers to outlives it. Thread: its shard. Stops: with the
// listener.
class HookApi final : public net::Handler {
 public:
  HookApi(hook::Invoker& invoker, const EventApi& events, const ShadowApi& shadow, LocalToken token,
          const turn::Services& services, const Clock& clock)
      : invoker_(invoker),
        events_(events),
        endpoints_(services),
        shadow_(shadow),
        authenticator_(std::move(token)),
        services_(services),
        clock_(clock) {}

  // From the next request on.
  void serve(std::shared_ptr<const hook::Apps> apps) { apps_ = std::move(apps); }

  async::Task<void> handle(net::Exchange& exchange) override;

  // Requests by nobody who may ask. Any thread.
  std::uint64_t strangers() const { return authenticator_.strangers(); }

 private:
  async::Task<Result<Answer>> answer(net::Exchange* exchange);
  async::Task<Result<Answer>> invoke(net::Exchange* exchange, std::shared_ptr<const hook::App> app,
                                     const hook::Point* point);

  hook::Invoker& invoker_;
  EventApi events_;
  EndpointApi endpoints_;
  ShadowApi shadow_;
  Authenticator authenticator_;
  const turn::Services& services_;
  const Clock& clock_;
  std::shared_ptr<const hook::Apps> apps_ = std::make_shared<hook::Apps>();
};

}  // namespace carrel::api
