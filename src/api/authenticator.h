// Who asks: the holder of the node's local token, or of one that was made by this API.
#pragma once

#include "api/failures.h"
#include "api/token.h"
#include "async/task.h"
#include "base/clock.h"
#include "net/http.h"
#include "tenant/principal.h"
#include "turn/state.h"

namespace carrel::api {

// Owner: the API. Thread: its shard.
class Authenticator {
 public:
  explicit Authenticator(LocalToken token) : operator_token_(std::move(token)) {}

  // The request outlives the task. Errors: unauthenticated; too_many_requests when its address has
  // failed too often lately, which never keeps out the local token; those of the store.
  async::Task<Result<tenant::Principal>> identify(const net::Request* request,
                                                  turn::Services services, const Clock* clock);

 private:
  LocalToken operator_token_;
  FailureLimit failures_;
};

}  // namespace carrel::api
