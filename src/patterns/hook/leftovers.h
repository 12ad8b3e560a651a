// Leftovers: what the store has of deliveries for bindings that are gone, with their apps or
// tenants or by themselves. Whoever has the name next is to see nothing of it. Thread: the store's
// shard; a task may be destroyed at any time.
#pragma once

#include <string>

#include "delivery/erasure.h"

namespace carrel::hook {

// Takes away a bounded part of what there is in lanes that begin with `lanes` (lane.h): what is on
// its way, dead letters, how endpoints did. `records` is 0 when there was nothing. As
// `delivery::erase_items` otherwise.
async::Task<Result<delivery::ErasedItems>> erase_leftovers(store::Transaction* transaction,
                                                           store::ShardStore* store,
                                                           std::string lanes);
// Likewise of one lane.
async::Task<Result<delivery::ErasedItems>> erase_leftovers_of(store::Transaction* transaction,
                                                              store::ShardStore* store,
                                                              std::string lane);

}  // namespace carrel::hook
