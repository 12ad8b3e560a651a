// The /v1 API: status, apps and their state on this node, described by openapi.yaml, which a test
// holds it to.
//
// Every refusal is problem details (RFC 9457). /healthz and /readyz need no token and say nothing
// else.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/answer.h"
#include "api/guard.h"
#include "api/node.h"
#include "api/state.h"
#include "base/clock.h"
#include "net/http.h"

namespace carrel::api {

// Owner: the composition root. Thread: the admin listener's shard. Stops: with the listener.
class Api final : public net::Handler {
 public:
  Api(const Node& node, Guard guard, const Clock& clock)
      : node_(node), guard_(std::move(guard)), clock_(clock) {}

  async::Task<void> handle(net::Exchange& exchange) override;

  // Before the first request: from now on it serves the state of apps.
  void serve_state(const turn::Services& services) { state_ = services; }

  // What `handle` sends, but for the state of apps.
  Answer answer(const net::Request& request, std::uint64_t id) const;

 private:
  struct Route;
  static std::span<const Route> routes();
  Result<void> check(const net::Request& request) const;
  Result<const Route*> admit(const net::Request& request) const;

  Answer health() const;
  Answer ready() const;
  Answer status() const;
  Answer apps() const;
  Answer description() const;

  const Node& node_;
  Guard guard_;
  const Clock& clock_;
  turn::Services state_;
};

}  // namespace carrel::api
