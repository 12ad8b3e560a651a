// A receiver: what a pattern does with an item, and what it learns of it.
#pragma once

#include <string>

#include "async/task.h"
#include "delivery/item.h"
#include "delivery/retry.h"

namespace carrel::delivery {

// How an attempt ended.
struct Verdict {
  enum class How : std::uint8_t {
    acknowledged,  // the turn's commit has taken the item away
    done,          // it is to be taken away
    failed,        // it is tried again, until it has been tried often enough
    hopeless,      // trying again would not help: a dead letter
    not_now,       // nothing was tried; this attempt does not count
  };
  How how = How::done;
  std::string cause = {};  // why it failed
  Nanos after{};           // failed: wait no less; not_now: wait this long
  std::string note = {};   // for `settle`, of the pattern's own making
};

// Owner: the pattern, on the dispatcher's shard; outlives its dispatcher.
class Receiver {
 public:
  virtual ~Receiver() = default;

  virtual Retry retry(const Item& item) const = 0;

  // How long it cannot be tried yet, whatever its record says: it costs nothing and counts nothing.
  virtual Nanos wait(const Name&) const { return {}; }

  // One attempt. The item was marked before, so that it counts whatever happens. The item outlives
  // the task.
  virtual async::Task<Verdict> attempt(const Item* item) = 0;

  // What else is written in the commit that settles an attempt; called again for each run of it.
  // Not for `acknowledged`, which is settled already. Its arguments outlive the task.
  virtual async::Task<Result<void>> settle(store::Transaction*, const Item*, const Verdict*) {
    co_return Result<void>();
  }

  // There is a record of it, open or dead: it was found at the start, or made.
  virtual void kept(const Name&) {}
  // Its record is gone for good.
  virtual void gone(const Name&) {}
  // It is a dead letter now.
  virtual void died(const Item&) {}
  // It was a dead letter, and is gone for good, as its lane has too many.
  virtual void dropped(const Name&) {}
  // Its record cannot be read.
  virtual void damaged(const Name&) {}
};

}  // namespace carrel::delivery
