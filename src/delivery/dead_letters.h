// Dead letters: items that were tried often enough, with the cause; and back to be tried again.
#pragma once

#include <string>
#include <vector>

#include "delivery/item.h"

namespace carrel::delivery {

struct ItemPage {
  std::vector<Item> items;
  std::vector<Name> damaged;  // no id: the name is, and all there is of it is in `lane`
  std::string next;           // for `after`; empty: that is all
};

// Items of `place` (kOpen, kDead) in lanes that begin with `prefix`, in order, after `after`. One
// that is damaged hides no other. The transaction outlives the task. Errors: those of
// Transaction::read and read_names.
async::Task<Result<ItemPage>> read_items(store::Transaction* transaction, store::Place place,
                                         std::string prefix, std::string after, std::size_t max);

// A dead letter is open again and due now, as if it had not been tried; tell the Ring when it is
// durable. Errors: not_found; data_corrupt; those of the transaction.
async::Task<Result<Item>> redrive(store::Transaction* transaction, Name name, std::uint64_t now);

}  // namespace carrel::delivery
