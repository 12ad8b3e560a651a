// The instances that wait on a shard for another turn of their module, for modules that ask for it.
//
// An instance is put here only after a turn that went well and is kept; whatever else becomes of a
// turn, its instance goes with it. It serves its own module as it was deployed, in its own tenant,
// and nobody else: `Reuse` is made for that one, and is held here, so that its address means no
// other. What it knows of the store goes by the output gate: who reads what is not durable yet
// leaves an instance that serves nobody until it is. It goes after so many turns or so long a wait,
// and before a turn would find no slot, or all of them would hold too much memory.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "async/shard.h"
#include "base/secret_bytes.h"
#include "store/version.h"
#include "turn/output_gate.h"
#include "turn/turn.h"
#include "wasm/kept_instance.h"

namespace carrel::runtime {

// Owner: the runtime. Thread: its shard.
class KeptInstances {
 public:
  // `places`: for instances that run and those that are kept, together.
  KeptInstances(async::Shard& shard, std::size_t places) : shard_(shard), places_(places) {}
  KeptInstances(const KeptInstances&) = delete;
  KeptInstances& operator=(const KeptInstances&) = delete;

  // What an instance has of the turns it served, besides its memory.
  struct Past {
    store::Version seen{};               // what it may know of the store
    std::vector<SecretBytes> told = {};  // values that must not reach the log
    std::uint64_t memory = 0;            // bytes of its memory
    std::size_t places = 1;              // as its turns took
  };
  struct Taken {
    std::unique_ptr<wasm::KeptInstance> instance = nullptr;  // null: there is none
    Past past = {};
  };

  // The module's that was used last, of those that know nothing that is not durable yet. `gate` may
  // be null where there is no store.
  Taken take(const turn::ModuleSetup& module, const turn::OutputGate* gate);
  // Null is no instance.
  void put(const turn::ModuleSetup& module, std::unique_ptr<wasm::KeptInstance> instance,
           Past past);
  // Those kept longest go, until the turns that run have the places they take.
  void make_room(std::size_t taken);

  std::size_t size() const { return kept_.size(); }

 private:
  static constexpr std::size_t kMost = 64, kMostOfAModule = 4;
  static constexpr std::uint64_t kMostMemory = 512ULL << 20;  // of all of them

  struct Kept {
    TenantName tenant;
    std::shared_ptr<const turn::Reuse> module;
    std::unique_ptr<wasm::KeptInstance> instance;
    Past past;
    Instant until;
  };
  void forget(const Past& past);
  void drop_last();
  async::Task<void> sweep();

  async::Shard& shard_;
  std::size_t places_;
  std::list<Kept> kept_;         // used last first
  std::uint64_t memory_ = 0;     // of all of them
  std::size_t kept_places_ = 0;  // as well
  async::Task<void> sweeper_;    // while there are any
};

}  // namespace carrel::runtime
