#include "api/step.h"

#include "api/call.h"

namespace carrel::api {

async::Task<Result<Answer>> commit_answering(Call* call, TenantName tenant,
                                             store::TransactionLimits limits, AnsweringStep* step) {
  CARREL_CO_TRY_VOID(co_await commit(call->services, std::move(tenant), limits, step));
  co_return std::move(step->answer);
}

}  // namespace carrel::api
