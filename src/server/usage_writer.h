// Carries what a shard's turns have used to the store: every five seconds, at each full hour, and
// when the shard drains. What a process that is killed had not written is lost, and no more.
#pragma once

#include <map>
#include <utility>

#include "async/event.h"
#include "async/shard.h"
#include "base/clock.h"
#include "observe/log.h"
#include "tenant/meter.h"
#include "tenant/usage.h"
#include "turn/state.h"

namespace carrel::server {

// Owner and thread: one shard. Stops: `stop`.
class UsageWriter {
 public:
  static constexpr std::chrono::seconds kEvery{5};

  UsageWriter(async::Shard& shard, tenant::Meter& meter, const turn::Services& services,
              const Clock& clock, observe::Log& log)
      : shard_(shard), meter_(meter), services_(services), clock_(clock), log_(log) {}

  // Until `stop`.
  static async::Task<void> run(UsageWriter* self);
  // Returns when all that was used is in the store, or could not be brought there.
  static async::Task<void> stop(UsageWriter* self);

 private:
  static async::Task<void> flush(UsageWriter* self);
  void gather();
  Nanos until_next() const;

  async::Shard& shard_;
  tenant::Meter& meter_;
  const turn::Services& services_;
  const Clock& clock_;
  observe::Log& log_;
  // What the store has not taken yet.
  std::map<std::pair<tenant::Spender, tenant::Hour>, tenant::Spent> waiting_;
  tenant::Hour hour_ = 0;  // in which what is being used is used
  bool running_ = false, stopping_ = false, failing_ = false;
  async::Event stop_, stopped_;
};

}  // namespace carrel::server
