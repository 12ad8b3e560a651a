#include "turn/state.h"

#include "store/store.h"
#include "turn/output_gate.h"
#include "turn/turn.h"

namespace carrel::turn {

async::Task<Result<void>> wait_until_durable(const Turn& turn) {
  if (turn.module.sync != store::Sync::always) co_return Result<void>();
  co_return co_await turn.state->services.gate->wait(turn.state->transaction.seen());
}

}  // namespace carrel::turn
