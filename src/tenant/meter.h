// The meter: what a shard's turns have used since it was last read, by tenant, app and module.
//
// Counted always, whatever becomes of the turn: re-runs, failures, turns whose client left. Plain
// numbers, as only their shard touches them. What a turn uses is counted while it uses it, so that
// a reading misses nothing of turns that go on.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/guest_use.h"
#include "tenant/allowance.h"
#include "tenant/spent.h"

namespace carrel::tenant {

class Meter;

// Where a turn's use is counted, and what its tenant is allowed. Owner: the Meter; stays while an
// `Account` holds it. Thread: its shard.
class Line final : public GuestUse {
 public:
  explicit Line(Allowance* allowance) : allowance_(allowance) {}

  void ran(Nanos cpu, std::uint64_t memory, Nanos held) noexcept override;
  void received(std::uint64_t bytes) { spent_.bytes_in += bytes; }
  void replied(std::uint64_t bytes) { spent_.bytes_out += bytes; }
  // False: its tenant has logged too much of late; the line is to be dropped.
  bool may_log(std::uint64_t bytes);
  void called() { ++spent_.calls; }

  Allowance* allowance() const { return allowance_; }  // null: nothing is bounded here

 private:
  friend class Meter;
  friend class Account;
  Spent spent_;
  Allowance* allowance_;
  std::size_t holders_ = 0;
};

// One turn's way to its line. Ended without a word, the turn counts as a failure: whoever ran it
// gave it up.
class [[nodiscard]] Account {
 public:
  explicit Account(Line& line) : line_(&line) { ++line_->holders_; }
  Account(Account&& other) noexcept
      : line_(std::exchange(other.line_, nullptr)), phase_(other.phase_) {}
  Account& operator=(Account&&) = delete;
  ~Account();

  Line& line() const { return *line_; }
  void refused() {
    ++line_->spent_.refused;
    phase_ = Phase::over;
  }
  void begun() {
    ++line_->spent_.turns;
    phase_ = Phase::under_way;
  }
  void ended_well() { phase_ = Phase::over; }

 private:
  enum class Phase : std::uint8_t { waiting, under_way, over };
  Line* line_;
  Phase phase_ = Phase::waiting;
};

// Owner and thread: one shard. Outlives its turns.
class Meter {
 public:
  using Reading = std::vector<std::pair<Spender, Spent>>;

  // `allowances` outlives it; null: nothing is bounded.
  explicit Meter(Allowances* allowances = nullptr) : allowances_(allowances) {}
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  Account open(const TenantName& tenant, const AppName& app, const ModuleName& module);

  // What was used since the last reading. A line that was not, and that nobody holds, goes.
  Reading read();

 private:
  struct Hash {
    std::size_t operator()(const Spender& spender) const;
  };
  Allowances* allowances_;
  boost::unordered_flat_map<Spender, std::unique_ptr<Line>, Hash> lines_;
};

}  // namespace carrel::tenant
