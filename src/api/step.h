// A request's work on the store as one commit: begun again when others changed what it had read.
#pragma once

#include "api/answer.h"
#include "async/task.h"
#include "base/id.h"
#include "base/result.h"
#include "store/transaction.h"
#include "turn/state.h"

namespace carrel::api {

struct Call;

// What is done to the store. It must leave nothing behind but in the transaction, as it may run
// several times.
class Step {
 public:
  virtual ~Step() = default;
  virtual async::Task<Result<void>> run(store::Transaction& transaction) = 0;
};

// Returns when what the step read and did is durable; an error has changed nothing. Errors: the
// step's; those of Transaction::commit. The step outlives the task.
async::Task<Result<void>> commit(turn::Services services, TenantName tenant,
                                 store::TransactionLimits limits, Step* step);

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
