// Blobs of a test case: written and read whole, in a transaction of the case's own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/case_state.h"
#include "async/task.h"
#include "store/part_io.h"
#include "store/transaction.h"

namespace carrel::cli {

// Owner: whoever has the transaction, until it is committed. Thread: the store's shard. The store
// and the transaction outlive it.
class CaseBlobs {
 public:
  CaseBlobs(store::ShardStore& store, store::Transaction& transaction, TenantName tenant)
      : store_(store), transaction_(transaction), tenant_(std::move(tenant)) {}

  // Errors: those of Transaction::put and store::keep_part. `blob` outlives the task.
  async::Task<Result<void>> put(const app::StateValue* blob);
  // Nothing: it is not there. Errors: body_too_large for more than a case may hold; data_corrupt;
  // those of reading.
  async::Task<Result<std::optional<std::string>>> get(app::StateName name);

 private:
  store::ShardStore& store_;
  store::Transaction& transaction_;
  TenantName tenant_;
  std::vector<store::Parts::Pin> pins_;
};

}  // namespace carrel::cli
