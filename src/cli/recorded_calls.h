// The outside of a turn that is recorded: passes its calls on, and keeps each with its answer, as a
// test case has them.
#pragma once

#include <vector>

#include "app/case_calls.h"
#include "net/caller.h"

namespace carrel::cli {

// Owner: the bench, for one turn; `outside` outlives it. Thread: one shard. Stops: with its calls'
// tasks.
class RecordedCalls final : public net::Caller {
 public:
  explicit RecordedCalls(net::Caller& outside) : outside_(outside) {}

  // Waits for the whole response, of a few MiB at most.
  async::Task<Result<std::unique_ptr<net::IncomingResponse>>> send(TenantName tenant,
                                                                   net::OutgoingRequest request,
                                                                   net::CallLimits limits) override;

  // In the order in which they ended; without the requests' headers and cookies, which may be
  // secret.
  const std::vector<app::CaseCall>& made() const { return made_; }

 private:
  net::Caller& outside_;
  std::vector<app::CaseCall> made_;
};

}  // namespace carrel::cli
