// The /v1 API: what openapi.yaml describes, which tests hold it to.
//
// A request is matched to an operation (operation.h), comes from a place that may ask (guard.h),
// shows who asks, and passes the one table of who may do what (access.h); then the operation
// answers. Every refusal is problem details (RFC 9457). The probes need no token and say nothing
// else.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/access.h"
#include "api/answer.h"
#include "api/authenticator.h"
#include "api/fetches.h"
#include "api/guard.h"
#include "api/node.h"
#include "api/operation.h"
#include "api/work.h"
#include "base/clock.h"
#include "net/http.h"
#include "turn/state.h"

namespace carrel::delivery {
class Ring;
}
namespace carrel::deployment {
class Stage;
}
namespace carrel::hosts {
class Desk;
}

namespace carrel::hook {
class Recordings;
class Shadows;
}  // namespace carrel::hook

namespace carrel::api {

class BindingStage;

// Owner: the composition root. Thread: the admin listener's shard. Stops: with the listener.
class Api final : public net::Handler {
 public:
  Api(const Node& node, Guard guard, Authenticator authenticator, const Clock& clock,
      std::span<const Operation> operations = all_operations())
      : node_(node),
        guard_(std::move(guard)),
        authenticator_(std::move(authenticator)),
        clock_(clock),
        operations_(operations) {}

  async::Task<void> handle(net::Exchange& exchange) override;

  // Before the first request: from now on it serves what needs the store.
  void serve_state(const turn::Services& services) { state_ = services; }
  // Likewise: from now on apps can be deployed.
  void serve_deployments(deployment::Stage& stage) { stage_ = &stage; }
  // Likewise: from now on their modules may come from `source`, which outlives the API.
  void fetch_modules(app::ModuleSource& source) { fetches_.source = &source; }

  // Likewise: from now on host names can be claimed.
  void serve_hosts(hosts::Desk& desk) { hosts_ = &desk; }
  // Likewise: from now on customers can bind. `shadows`: its shard's.
  void serve_bindings(BindingStage& bindings, hook::Recordings& recordings, hook::Shadows& shadows,
                      delivery::Ring& deliveries) {
    bindings_ = &bindings;
    recordings_ = &recordings;
    shadows_ = &shadows;
    deliveries_ = &deliveries;
  }

  // Requests by nobody who may ask. Any thread.
  std::uint64_t strangers() const { return authenticator_.strangers(); }

  // Whether something goes on that outlives its request. Any thread.
  bool busy() const { return work_.busy(); }
  // Before the first request: from now on JWTs of issuers open what their rules say.
  void name_callers(tenant::Identities& identities) { authenticator_.name_callers(identities); }

 private:
  async::Task<Result<Answer>> answer(net::Exchange* exchange);

  const Node& node_;
  Guard guard_;
  Authenticator authenticator_;
  const Clock& clock_;
  std::span<const Operation> operations_;
  turn::Services state_;
  deployment::Stage* stage_ = nullptr;
  hosts::Desk* hosts_ = nullptr;
  Fetches fetches_;
  BindingStage* bindings_ = nullptr;
  hook::Recordings* recordings_ = nullptr;
  hook::Shadows* shadows_ = nullptr;
  delivery::Ring* deliveries_ = nullptr;
  Work work_;
};

}  // namespace carrel::api
