// The runtime of one shard: runs turns. Patterns know no other way to run a guest.
//
// It admits the turn, brings the module in if it is not there, and lets the module's ABI run it in
// a fresh instance. A turn with grants gets a transaction, is committed when the guest has ended
// well, and is run again when it lost a conflict; its reply leaves when all it saw and did is
// durable. Modules that have not been used of late are let go when the shard holds too many.
#pragma once

#include <memory>

#include "async/shard.h"
#include "runtime/admission.h"
#include "runtime/loader.h"
#include "runtime/turn_figures.h"
#include "turn/state.h"
#include "turn/turn.h"

namespace carrel::runtime {

struct RuntimeLimits {
  AdmissionLimits admission;
  std::size_t modules = 5000;               // prepared on this shard at once
  std::uint64_t code_bytes = 512ULL << 20;  // of compiled code that they map
};

// What this machine bears, for one of `shards` shards.
RuntimeLimits limits_for(const wasm::EngineSettings& engine, unsigned shards);

// Owner: the composition root. Thread: its shard. Stops: destroying a turn's task cancels it; no
// turn may be left at destruction.
class Runtime {
 public:
  // `services`: what the shard's turns may reach; outlives them.
  Runtime(async::Shard& shard, Loader& loader, const RuntimeLimits& limits,
          const turn::Services& services);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  async::Shard& shard() const { return shard_; }

  // Runs one turn. The outcome's error is a refusal (too_many_requests, overloaded), a load error,
  // what the guest did, or why the turn was not kept (conflict, quota_exceeded, below_floor,
  // store_full, store_failed; commit_unknown: it may have been). Nothing when the reply was given
  // whole.
  async::Task<turn::Outcome> run(std::shared_ptr<const Program> program, turn::Turn& turn);

  // These may be read by any thread.
  const TurnFigures& figures() const;
  const Admission::Figures& admitted() const;
  const AdmissionLimits& limits() const;

 private:
  struct Impl;
  async::Shard& shard_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::runtime
