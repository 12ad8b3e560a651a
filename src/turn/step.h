// The host's own work on the store as one commit: begun again when others changed what it had read.
#pragma once

#include "async/task.h"
#include "base/id.h"
#include "base/result.h"
#include "store/transaction.h"
#include "turn/state.h"

namespace carrel::turn {

// What is done to the store. It must leave nothing behind but in the transaction, as it may run
// several times.
class Step {
 public:
  virtual ~Step() = default;
  virtual async::Task<Result<void>> run(store::Transaction& transaction) = 0;
};

// Returns when what the step read and did is durable; an error has changed nothing. Errors: the
// step's; those of Transaction::commit. The step outlives the task.
async::Task<Result<void>> commit(Services services, TenantName tenant,
                                 store::TransactionLimits limits, Step* step);

}  // namespace carrel::turn
