// The judge: decides a batch of finished turns, one after the other, and gathers what they write.
//
// Every decision sees the newest state with the accepted turns of the batch on top.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/committer.h"
#include "store/part_ledger.h"
#include "store/usage_table.h"

namespace carrel::store {

// Owner and thread: the committer's. The changes it is given outlive the batch.
class Judge {
 public:
  Judge(std::shared_ptr<Database> database, const TicketTable& tickets, SlotTable& slots,
        UsageTable& usage, Version first, std::function<WallTime()> wall);

  void begin(Version version);
  Verdict decide(const Changes& changes);  // of the batch's next turn
  // What the accepted turns write, with the tenants' accounts.
  WriteSet& finish();
  // Whether what the batch's turn wrote, counted from 0, was written again by none after it.
  bool stands(std::size_t turn) const { return !overwritten_[turn]; }

  CommitCounts& counts() { return counts_; }

 private:
  using Text = std::optional<std::string_view>;
  struct Written {
    Text value;
    std::size_t by;  // the turn
  };
  struct Effects;

  Result<std::optional<std::string>> newest(std::string_view key) const;
  void set(std::string_view key, Text value);  // views that outlive the batch
  std::string_view keep(std::string text);

  std::vector<std::uint64_t> lost_by(const Changes& changes);
  Result<Effects> effects_of(const Changes& changes);
  Result<Before> before(const Changes& changes, const Change& change) const;
  Result<void> count_change(const Changes& changes, const Change& change, Effects& effects);
  Result<void> count_addition(const Changes& changes, const Addition& addition, Effects& effects);
  LedgerAccess ledger_of(Effects& effects) const;
  void apply(const Changes& changes, Effects& effects);
  void stamp(std::uint64_t hash) { slots_.stamp(slot_of(hash), version_); }
  void set_expiry(const Change& change, std::uint64_t expires, Text value);

  std::shared_ptr<Database> database_;
  const TicketTable& tickets_;
  SlotTable& slots_;
  UsageTable& usage_;
  const Version first_;  // what was seen before may have been lost
  std::function<WallTime()> wall_;
  Version version_{};
  WriteSet writes_;
  boost::unordered_flat_map<std::string_view, Written> overlay_;
  std::vector<std::pair<std::string_view, Text>> sorted_;
  std::deque<std::string> texts_;
  std::vector<bool> overwritten_;  // of each turn; the last one is being decided
  std::unordered_map<TenantName, std::shared_ptr<Account>> touched_;
  CommitCounts counts_;
};

}  // namespace carrel::store
