// How endpoints at points that are told of events do, on the data listener.
//
//   GET  /v1/hooks/{point}/endpoints
//        ?tenant=&after=&limit=: with their last attempts
//   POST /v1/hooks/{point}/endpoints/{binding}:enable
//        one that was disabled
//
// Listing needs the verb "logs", as causes are told; enabling "invoke". Whose app it is, with the
// verb on the app's tenant, has all endpoints: the point's own and those customers have bound. A
// customer, with the verb on a tenant below, has those of that tenant: ?tenant= names it.
#pragma once

#include <optional>
#include <string>

#include "api/hook_request.h"
#include "turn/state.h"

namespace carrel::api {

// Owner: the shard's unit; what it refers to outlives it. Thread: its shard.
class EndpointApi {
 public:
  explicit EndpointApi(const turn::Services& services) : services_(services) {}

  // Nothing: the path is another's. Errors: what is to be told.
  async::Task<std::optional<Result<Answer>>> answer(HookRequest request);

 private:
  async::Task<Result<Answer>> list(const HookRequest* request, std::string_view point);
  async::Task<Result<Answer>> enable(const HookRequest* request, std::string_view point,
                                     std::string_view name);

  const turn::Services& services_;
};

}  // namespace carrel::api
