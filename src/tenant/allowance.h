// What tenants may use at a time, with all that is below them: "acme" is bounded with "acme/a".
//
// One node for each tenant, shared by all shards; a turn asks at its own and at each above. Relaxed
// atomics: two shards that ask in the same instant may both be let in, so a limit may be passed by
// a turn or two for each shard, never by more. A rate lets a second's worth come at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "tenant/quotas.h"

namespace carrel::tenant {

inline constexpr std::uint64_t kNoLimit = UINT64_MAX;

// So much a second. What has been taken is booked into the future at that rate; more is let in
// while that is less than a second away. What is only known afterwards (CPU time) is booked then.
class Rate {
 public:
  // What was booked at another rate is forgotten: a change counts at once.
  void limit(std::uint64_t a_second) {
    if (a_second_.exchange(a_second, std::memory_order_relaxed) != a_second)
      booked_.store(0, std::memory_order_relaxed);
  }
  bool limited() const { return a_second_.load(std::memory_order_relaxed) != kNoLimit; }
  // How long until `take` would be right; 0: now; Nanos::max(): never.
  Nanos wait(Instant now) const;
  void take(std::uint64_t amount, Instant now);

 private:
  std::atomic<std::uint64_t> a_second_ = kNoLimit;
  std::atomic<std::int64_t> booked_ = 0;  // until when, in nanoseconds of the steady clock
};

// At most so much at once.
class Level {
 public:
  void limit(std::uint64_t most) { most_.store(most, std::memory_order_relaxed); }
  bool has_room(std::uint64_t amount) const;
  // Whether it ever has, were nothing else there.
  bool could_have_room(std::uint64_t amount) const;
  void take(std::uint64_t amount) { now_.fetch_add(amount, std::memory_order_relaxed); }
  void give_back(std::uint64_t amount) { now_.fetch_sub(amount, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> most_ = kNoLimit;
  std::atomic<std::uint64_t> now_ = 0;
};

// Owner: Allowances; stays while it does. Thread-safe.
struct Allowance {
  std::string tenant;
  Allowance* above = nullptr;                     // null: nothing is
  Level turns, memory, calls;                     // at once; memory: bytes
  Rate turn_rate, cpu_rate, call_rate, log_rate;  // cpu: nanoseconds, log: bytes
  std::atomic<std::uint64_t> waiting_calls = 0;
  std::atomic<std::uint32_t> weight = 1;  // its own, not its parents'
};

// Why something has to wait.
struct Shortage {
  const Allowance* whose;
  const char* quota;  // the name of it
  Nanos wait;         // 0: until somebody gives back; Nanos::max(): for ever
};
std::string text_of(const Shortage& shortage);

// A turn that may use `memory` bytes: what stands against it, from `tenant` upward. Null: nothing
// is bounded.
std::optional<Shortage> stands_against_turn(const Allowance* tenant, std::uint64_t memory,
                                            Instant now);
void begin_turn(Allowance* tenant, std::uint64_t memory, Instant now);
void end_turn(Allowance* tenant, std::uint64_t memory);
void charge_cpu(Allowance* tenant, Nanos cpu);

std::optional<Shortage> stands_against_call(const Allowance* tenant, Instant now);
void begin_call(Allowance* tenant, Instant now);
void end_call(Allowance* tenant);

// Logging is not waited for.
bool may_log(Allowance* tenant, std::uint64_t bytes, Instant now);

// Owner: the composition root; outlives the shards. Thread-safe.
class Allowances {
 public:
  // Made if there is none. Good while this is.
  Allowance& of(std::string_view tenant);
  // From now on. What is under way stays.
  void set(std::string_view tenant, const Quotas& quotas);

 private:
  Allowance& find_or_make(std::string_view tenant);  // under `mutex_`

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Allowance>, std::less<>> all_;
};

}  // namespace carrel::tenant
