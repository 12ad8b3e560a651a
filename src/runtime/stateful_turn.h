// A turn with grants: the guest runs in a transaction, which is committed when it has ended well.
//
// Who lost a conflict is run again from the start, queueing for the names it lost by; its calls to
// the outside are not made again, and its event's body is read again from memory. A guest that
// fails, and whatever cannot be run again, leaves nothing behind.
#pragma once

#include <memory>

#include "runtime/admission.h"
#include "runtime/kept_instances.h"
#include "runtime/loader.h"
#include "turn/state.h"
#include "turn/turn.h"
#include "wasm/linker.h"

namespace carrel::runtime {

// Owner: the Runtime, whose `run` it is a part of. `services` and `turn` outlive it.
async::Task<turn::Outcome> run_with_state(async::Shard& shard, const turn::Services& services,
                                          KeptInstances& kept, Admission::Ticket ticket,
                                          std::shared_ptr<const Program> program,
                                          std::shared_ptr<const wasm::Prepared> prepared,
                                          turn::Turn& turn);

}  // namespace carrel::runtime
