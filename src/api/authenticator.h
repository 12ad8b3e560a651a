// Who asks: the holder of the node's local token, of one that was made by this API, or of a JWT of
// an issuer whose rules let it in.
#pragma once

#include <memory>

#include "api/failures.h"
#include "api/token.h"
#include "async/task.h"
#include "base/clock.h"
#include "net/http.h"
#include "observe/metrics.h"
#include "tenant/principal.h"
#include "turn/state.h"

namespace carrel::tenant {
class Identities;
}

namespace carrel::api {

// Owner: the API. Thread: its shard.
class Authenticator {
 public:
  explicit Authenticator(LocalToken token) : operator_token_(std::move(token)) {}

  // Before the first request. Outlives it.
  void name_callers(tenant::Identities& identities) { identities_ = &identities; }

  // The request outlives the task. Errors: unauthenticated; too_many_requests in its place when
  // the address has failed too often lately; those of the store.
  async::Task<Result<tenant::Principal>> identify(const net::Request* request,
                                                  turn::Services services, const Clock* clock);

  // How often nobody who may ask did. Any thread.
  std::uint64_t strangers() const { return strangers_->value(); }

 private:
  async::Task<Result<tenant::Principal>> identify_or_refuse(const net::Request* request,
                                                            turn::Services services,
                                                            const Clock* clock);
  async::Task<Result<tenant::Principal>> look_up(std::string presented, turn::Services services,
                                                 const Clock* clock);

  LocalToken operator_token_;
  tenant::Identities* identities_ = nullptr;  // null: there are no issuers
  FailureLimit failures_;
  std::unique_ptr<observe::Counter> strangers_ = std::make_unique<observe::Counter>();
};

}  // namespace carrel::api
