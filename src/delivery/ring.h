// The ring: all dispatchers of the node, and which of them sees to which item.
#pragma once

#include <atomic>
#include <string_view>
#include <vector>

#include "async/shard.h"
#include "delivery/dispatcher.h"
#include "delivery/erasure.h"

namespace carrel::delivery {

// Items of one id are one shard's, whatever their lanes. Good for the life of the process.
unsigned owner_of(std::string_view id, unsigned count);

// Owner: the composition root; outlives the shards' work. Thread: `attach` before the shards run;
// the rest any.
class Ring {
 public:
  void attach(async::Shard& shard, Dispatcher& dispatcher);

  // To whom it belongs; later, on its shard.
  void add(Name name, std::uint64_t due);
  void add_again(Name name, std::uint64_t due);
  // To all whose they were.
  void forget(ErasedItems erased);

  bool paused() const { return paused_.load(); }
  void set_paused() { paused_ = true; }  // before they start
  // All of them deliver from now on, or cease to.
  void pause();
  void resume();

 private:
  struct Member {
    async::Shard* shard;
    Dispatcher* dispatcher;
  };
  const Member& owner(const Name& name) const;
  std::vector<Member> members_;
  std::atomic<bool> paused_ = false;
};

}  // namespace carrel::delivery
