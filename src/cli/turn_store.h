// State for turns outside a server: a store of the command's own, filled and looked at by what a
// test case says.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "app/case_state.h"
#include "async/shard.h"
#include "base/clock.h"
#include "base/node_key.h"
#include "base/result.h"
#include "cli/scratch_folder.h"
#include "store/sealer.h"
#include "store/store.h"
#include "turn/grants.h"
#include "turn/output_gate.h"
#include "turn/state.h"

namespace carrel::cli {

// What was asked for and is there.
struct FoundState {
  std::vector<app::StateValue> values;
  std::vector<app::StateCount> counters;
  std::vector<app::StateValue> blobs;
  std::vector<app::StateName> others;  // some keys of stores in which one is missing
};

// Owner: whoever runs the turns, on the shard's thread. Stops: destroy it when no turn runs; one
// that is kept is then on the disk.
class TurnStore {
 public:
  // An empty one in a private folder, which goes with it. The clock says what has expired; it and
  // the shard outlive the store. `looks`: as in StoreOptions. Errors: io, those of Store::open.
  static Result<std::unique_ptr<TurnStore>> temporary(async::Shard& shard, const Clock& clock,
                                                      store::Reach looks = store::Reach::memory);
  // One in a folder that stays. Errors: those of Store::open.
  static Result<std::unique_ptr<TurnStore>> kept(async::Shard& shard, const Clock& clock,
                                                 const std::filesystem::path& folder,
                                                 const NodeKey& key);
  ~TurnStore();
  TurnStore(const TurnStore&) = delete;
  TurnStore& operator=(const TurnStore&) = delete;

  bool is_temporary() const { return scratch_ != nullptr; }
  turn::Services services();

  // Runs the shard. Errors: those of a commit.
  Result<void> put(const TenantName& tenant, const app::CaseState& state);
  // Runs the shard. Errors: those of reading.
  Result<FoundState> look_for(const TenantName& tenant, const app::CaseEffects& effects);
  // What stands in the stores of these grants, at most `most` names. Runs the shard. Errors: as
  // above.
  Result<app::CaseEffects> contents(const TenantName& tenant, const turn::Grants& grants,
                                    std::size_t most);

 private:
  TurnStore(async::Shard& shard, std::unique_ptr<ScratchFolder> scratch,
            std::unique_ptr<store::Store> store, const NodeKey& key);

  async::Shard& shard_;
  std::unique_ptr<ScratchFolder> scratch_;
  std::unique_ptr<store::Store> store_;
  store::ShardStore& mine_;
  store::Sealer sealer_;
  turn::OutputGate gate_;
};

}  // namespace carrel::cli
