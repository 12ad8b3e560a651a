// An interceptor: what a pattern does around the guest, in the same transaction: replies kept for
// clients that retry, inputs acknowledged.
#pragma once

#include <optional>

#include "async/task.h"
#include "base/result.h"
#include "turn/held_reply.h"
#include "turn/state.h"
#include "turn/turn.h"

namespace carrel::turn {

// For gated turns. Owner: the pattern; outlives the turn. Thread: the turn's shard. Called again
// for every run of the turn.
class Interceptor {
 public:
  virtual ~Interceptor() = default;
  // A reply given here stands for the turn: the guest does not run. An error fails the turn.
  virtual async::Task<Result<std::optional<HeldReply>>> before(State& state) = 0;
  // The guest has ended well. An error fails the turn.
  virtual async::Task<Result<void>> after(State& state, const HeldReply& reply) = 0;
  // The turn was to fail, as nothing of it is to be kept: it counts as one that ended well.
  virtual bool gave_up() const { return false; }
};

inline bool is_failure(const Turn& turn, const Outcome& outcome) {
  return outcome.error && (turn.interceptor == nullptr || !turn.interceptor->gave_up());
}

}  // namespace carrel::turn
