// The outside of a test case: answers its calls as the case says, and nobody else's.
#pragma once

#include <string>
#include <vector>

#include "app/case_calls.h"
#include "net/caller.h"

namespace carrel::cli {

// The calls outlive it. Thread: one shard. Stops: with its calls'
// tasks.
class CannedCalls final : public net::Caller {
 public:
  explicit CannedCalls(const std::vector<app::CaseCall>& expected) : expected_(expected) {}

  async::Task<Result<std::unique_ptr<net::IncomingResponse>>> send(TenantName tenant,
                                                                   net::OutgoingRequest request,
                                                                   net::CallLimits limits) override;

  // Calls that came and are not those of the case, each with what differs.
  const std::vector<std::string>& unexpected() const { return unexpected_; }
  // Calls of the case that never came.
  std::vector<std::string> missing() const;

 private:
  const std::vector<app::CaseCall>& expected_;
  std::size_t next_ = 0;
  std::vector<std::string> unexpected_;
};

}  // namespace carrel::cli
