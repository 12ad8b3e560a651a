// What a shard's turns come to: how many, how they ended, how long they took, and of which app they
// were.
#pragma once

#include "observe/outcome_counts.h"
#include "observe/tracer.h"
#include "runtime/app_figures.h"
#include "turn/turn.h"

namespace carrel::runtime {

// Written by the shard, read by any thread.
struct TurnFigures {
  observe::OutcomeCounts outcomes;
  observe::Durations durations;  // from the request to the reply
  observe::Durations waited;     // for admission, of those that had to
  AppTable apps;
};

// One turn while it is under way: counted, and a span of its trace. If it goes before the turn has
// ended, the turn was cancelled.
class TurnMeasure {
 public:
  // `tracer` may be null: the guest is only told of others' traces.
  TurnMeasure(TurnFigures& figures, observe::Tracer* tracer, turn::Turn& turn);
  TurnMeasure(const TurnMeasure&) = delete;
  TurnMeasure& operator=(const TurnMeasure&) = delete;
  ~TurnMeasure();

  // It has been admitted, or refused, after a wait.
  void waited();
  // Passes the outcome on.
  turn::Outcome ended(turn::Outcome outcome);

 private:
  TurnFigures& figures_;
  turn::Turn& turn_;
  Instant began_;
  observe::Span span_;
  bool ended_ = false;
};

}  // namespace carrel::runtime
