// A module beside an endpoint, on the data listener: what the two make of one input.
//
//   POST /v1/hooks/{point}:shadow?binding=NAME&module=NAME     the body is the input, as JSON
//
// It needs the verbs "invoke" and "logs" on the app's tenant, as causes are told.
#pragma once

#include <optional>

#include "api/hook_request.h"
#include "patterns/hook/shadow.h"

namespace carrel::api {

// Owner: the shard's unit; what it refers to outlives it. Thread: its shard.
class ShadowApi {
 public:
  explicit ShadowApi(hook::Shadows& shadows) : shadows_(shadows) {}

  // Nothing: the path is another's. Errors: what is to be told.
  async::Task<std::optional<Result<Answer>>> answer(HookRequest request);

 private:
  hook::Shadows& shadows_;
};

}  // namespace carrel::api
