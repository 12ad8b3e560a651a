// Erasing the items of receivers that are gone: nobody is to be told of them any more.
//
// A bounded part at a time, each in a commit of its own; whoever begins anew finds what is left, so
// a task may be destroyed at any time. Thread: the store's shard.
#pragma once

#include <string>
#include <vector>

#include "delivery/item.h"
#include "store/store.h"

namespace carrel::delivery {

inline constexpr std::size_t kErasedAtOnce = 256;  // records of a step

// What a step has taken away: for `Ring::forget`, once that is durable.
struct ErasedItems {
  std::vector<Name> open, dead;
  std::size_t records = 0;  // damaged ones are records as well; 0: there was nothing
};

// Takes away items, open and dead, whose records' names begin with `prefix`. It ends where a part
// of a lane ends, with the ':' or the zero byte, so that "a:b:" is never of "a:bc". They are looked
// for beside the transaction, which would meet everybody who makes or ends a delivery otherwise. It
// is any tenant's, on this store, and outlives the task. Errors: those of the store.
async::Task<Result<ErasedItems>> erase_items(store::Transaction* transaction,
                                             store::ShardStore* store, std::string prefix);

}  // namespace carrel::delivery
