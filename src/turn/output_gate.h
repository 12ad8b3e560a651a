// The output gate: nothing a turn says leaves before what it saw and did is durable.
//
// A turn may read state that is applied but not yet synced. Its reply, the bytes it sends and the
// consumers it wakes therefore wait here until the store's durable version has reached the highest
// version the turn read or wrote. Waiting costs nothing when that is already so.
#pragma once

#include <coroutine>
#include <deque>
#include <map>

#include "async/task.h"
#include "base/result.h"
#include "store/store.h"

namespace carrel::turn {

// Owner: the shard's unit; must outlive every turn on the shard. Thread: its shard only. Stops:
// destroying a waiting coroutine takes it out.
class OutputGate final : public store::DurabilityListener {
 public:
  explicit OutputGate(store::ShardStore& store);
  ~OutputGate();
  OutputGate(const OutputGate&) = delete;
  OutputGate& operator=(const OutputGate&) = delete;

  bool open_for(store::Version needed) const { return needed <= durable_ && !lost(needed); }
  // Returns once `needed` is durable. Errors: commit_unknown if the store failed before it was.
  async::Task<Result<void>> wait(store::Version needed);

  void on_durable(store::Version version) override;
  void on_failure(const Error& cause) override;
  void on_reopened(store::Version version) override;

 private:
  struct Wait;
  using Waiters = std::multimap<store::Version, Wait*>;
  // Versions between a failure and what was opened again: they may be on the disk or not.
  struct Lost {
    store::Version after, before;
  };
  bool lost(store::Version needed) const;
  void take_out(Waiters::iterator place);
  void release_first(bool durable);

  store::ShardStore& store_;
  store::Version durable_;
  bool failed_ = false;
  std::deque<Lost> lost_;
  Waiters waiters_;
};

}  // namespace carrel::turn
