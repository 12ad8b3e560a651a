// A request's work on the store as one commit.
#pragma once

#include "api/answer.h"
#include "async/task.h"
#include "base/id.h"
#include "base/result.h"
#include "store/transaction.h"
#include "turn/step.h"

namespace carrel::api {

struct Call;

using turn::commit;
using turn::Step;

// A step of a call that makes its answer.
class AnsweringStep : public Step {
 public:
  explicit AnsweringStep(Call* c) : call(c) {}
  Call* call;
  Answer answer;
};

// As `commit`; gives the step's answer.
async::Task<Result<Answer>> commit_answering(Call* call, TenantName tenant,
                                             store::TransactionLimits limits, AnsweringStep* step);

// The same for a call that creates something: with an Idempotency-Key, its answer is kept (sealed,
// for 24 hours) in the commit, and a repetition is given it. `body`: the call's. Errors:
// idempotency_mismatch when the key came with another request of the same caller; invalid_argument.
async::Task<Result<Answer>> commit_once(Call* call, TenantName tenant,
                                        store::TransactionLimits limits, std::string body,
                                        AnsweringStep* step);

}  // namespace carrel::api
