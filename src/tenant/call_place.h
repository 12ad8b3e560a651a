// A place among the calls to the outside that a tenant may make at a time.
#pragma once

#include <utility>

#include "async/shard.h"
#include "async/task.h"
#include "base/result.h"
#include "tenant/allowance.h"

namespace carrel::tenant {

// Held while the call is under way. Owner: the call. Thread: its shard.
class [[nodiscard]] CallPlace {
 public:
  explicit CallPlace(Allowance* allowance) : allowance_(allowance) {}
  CallPlace(CallPlace&& other) noexcept : allowance_(std::exchange(other.allowance_, nullptr)) {}
  CallPlace& operator=(CallPlace&&) = delete;
  ~CallPlace() { end_call(allowance_); }

 private:
  Allowance* allowance_;
};

// Waits for one, five seconds at most. Errors: too_many_requests, naming the quota; at once when a
// hundred calls of the tenant wait already.
async::Task<Result<CallPlace>> enter_call(async::Shard* shard, Allowance* allowance);

}  // namespace carrel::tenant
