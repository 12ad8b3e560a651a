// The instances that wait on a shard for another turn of their module, for modules that ask for it.
//
// An instance is put here only after a turn that went well and is kept; whatever else becomes of a
// turn, its instance goes with it. It serves its own module as it was deployed, in its own tenant,
// and nobody else: `Reuse` is made for that one, and is held here, so that its address means no
// other. It goes after so many turns or so long a wait, and before a turn would find no slot.
#pragma once

#include <list>
#include <memory>

#include "async/shard.h"
#include "turn/turn.h"
#include "wasm/kept_instance.h"

namespace carrel::runtime {

// Owner: the runtime. Thread: its shard.
class KeptInstances {
 public:
  // `slots`: for instances that run and those that are kept, together.
  KeptInstances(async::Shard& shard, std::size_t slots) : shard_(shard), slots_(slots) {}
  KeptInstances(const KeptInstances&) = delete;
  KeptInstances& operator=(const KeptInstances&) = delete;

  // The module's that was used last, or null.
  std::unique_ptr<wasm::KeptInstance> take(const turn::ModuleSetup& module);
  // Null is no instance.
  void put(const turn::ModuleSetup& module, std::unique_ptr<wasm::KeptInstance> instance);
  // Those kept longest go, until `running` turns have their slots.
  void make_room(std::size_t running);

  std::size_t size() const { return kept_.size(); }

 private:
  static constexpr std::size_t kMost = 64, kMostOfAModule = 4;

  struct Kept {
    TenantName tenant;
    std::shared_ptr<const turn::Reuse> module;
    std::unique_ptr<wasm::KeptInstance> instance;
    Instant until;
  };
  async::Task<void> sweep();

  async::Shard& shard_;
  std::size_t slots_;
  std::list<Kept> kept_;       // used last first
  async::Task<void> sweeper_;  // while there are any
};

}  // namespace carrel::runtime
