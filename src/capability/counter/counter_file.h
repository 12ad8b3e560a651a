// An open counter. Reading gives the snapshot's value as decimal text and a newline, without the
// turn's own additions; nothing read is a reason to run the turn again. Each write adds.
//
// A write holds whole additions (additions.h); where it is written does not matter. An error in
// one is EINVAL, and nothing of that write is added.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "store/transaction.h"
#include "wasi/node.h"

namespace carrel::capability::counter {

// Rights as granted and asked for; the caller has checked that the counter exists or may be made.
// The transaction outlives the file.
std::unique_ptr<wasi::OpenFile> open_counter(store::Transaction& transaction, store::Place place,
                                             std::string name, const wasi::OpenHow& how);

}  // namespace carrel::capability::counter
