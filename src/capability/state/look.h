// A record of the turn's transaction, as a host call reads it: at once from memory, or again after
// the wait.
#pragma once

#include <string>

#include "store/transaction.h"
#include "wasi/node.h"

namespace carrel::capability::state {

// Null: there is none. Thread: the transaction's shard. Errors: EAGAIN, after telling `io` what to
// wait for; those of errno_of.
wasi::Io<const store::Record*> look(wasi::IoContext& io, store::Transaction& transaction,
                                    const store::Place& place, const std::string& name,
                                    store::Track track);

}  // namespace carrel::capability::state
