// Removed tenants whose grace period is over: what they kept goes, in the background.
#pragma once

#include <set>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/id.h"
#include "delivery/ring.h"
#include "observe/log.h"
#include "turn/state.h"

namespace carrel::server {

// Takes away all that these kept, if they are to go by `now`, a bounded step at a time; the ring is
// told of the deliveries of their apps. Errors: those of the store.
async::Task<Result<void>> erase_tenants(turn::Services services, delivery::Ring* ring,
                                        std::vector<TenantName> names, WallTime now);

// One at a time looks for those that are to go, and has them go. What fails is in the log, and
// found again the next time.
//
// Owner: the composition root; outlives the shard's work. Thread: the shard's. Stops: with it.
class RemovedTenants {
 public:
  RemovedTenants(const turn::Services& services, delivery::Ring& ring, const Clock& clock,
                 observe::Log& events)
      : services_(services), ring_(ring), clock_(clock), events_(events) {}

  async::Task<void> look();

 private:
  async::Task<Result<void>> erase_overdue();

  const turn::Services& services_;
  delivery::Ring& ring_;
  const Clock& clock_;
  observe::Log& events_;
  std::set<TenantName> said_;  // to be damaged, in the log
  bool looking_ = false;
};

}  // namespace carrel::server
