#include "tenant/allowance.h"

#include <fmt/format.h>

#include <algorithm>

#include "tenant/path.h"

namespace carrel::tenant {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::int64_t kSecond = 1'000'000'000;
// Enough to refuse for long, and far from overflow.
constexpr std::int64_t kMostBooked = 3600 * kSecond;

std::int64_t count_of(Instant when) { return Nanos(when.time_since_epoch()).count(); }

std::int64_t cost_of(std::uint64_t amount, std::uint64_t a_second) {
  const auto cost = static_cast<unsigned __int128>(amount) * kSecond / a_second;
  return static_cast<std::int64_t>(std::min<unsigned __int128>(cost, kMostBooked));
}

// The longest wait of a path counts: all of it must have room.
void keep_longest(std::optional<Shortage>& longest, const Allowance& whose, const char* quota,
                  Nanos wait) {
  if (wait > Nanos(0) && (!longest || wait > longest->wait))
    longest = Shortage{.whose = &whose, .quota = quota, .wait = wait};
}

// A level is given back to at no known time.
void keep_level(std::optional<Shortage>& longest, const Allowance& whose, const char* quota,
                const Level& level, std::uint64_t amount) {
  if (level.has_room(amount)) return;
  if (!level.could_have_room(amount)) return keep_longest(longest, whose, quota, Nanos::max());
  if (!longest) longest = Shortage{.whose = &whose, .quota = quota, .wait = Nanos(0)};
}

}  // namespace

Nanos Rate::wait(Instant now) const {
  const std::uint64_t a_second = a_second_.load(kRelaxed);
  if (a_second == kNoLimit) return {};
  if (a_second == 0) return Nanos::max();
  const std::int64_t ahead = booked_.load(kRelaxed) - count_of(now);
  return Nanos(std::max<std::int64_t>(ahead - kSecond + cost_of(1, a_second), 0));
}

void Rate::take(std::uint64_t amount, Instant now) {
  const std::uint64_t a_second = a_second_.load(kRelaxed);
  if (a_second == kNoLimit || a_second == 0) return;
  const std::int64_t cost = cost_of(amount, a_second);
  std::int64_t booked = booked_.load(kRelaxed);
  std::int64_t next = 0;
  do {
    const std::int64_t from = std::max(booked, count_of(now));
    next = std::min(from + cost, count_of(now) + kMostBooked);
  } while (!booked_.compare_exchange_weak(booked, next, kRelaxed));
}

bool Level::has_room(std::uint64_t amount) const {
  const std::uint64_t most = most_.load(kRelaxed);
  return most == kNoLimit || now_.load(kRelaxed) + amount <= most;
}

bool Level::could_have_room(std::uint64_t amount) const { return amount <= most_.load(kRelaxed); }

std::string text_of(const Shortage& shortage) {
  return fmt::format("the tenant {}, with all below it, is at its quota {}", shortage.whose->tenant,
                     shortage.quota);
}

std::optional<Shortage> stands_against_turn(const Allowance* tenant, std::uint64_t memory,
                                            Instant now) {
  std::optional<Shortage> longest;
  for (const Allowance* each = tenant; each != nullptr; each = each->above) {
    keep_level(longest, *each, "concurrent_turns", each->turns, 1);
    keep_level(longest, *each, "memory_bytes", each->memory, memory);
    keep_longest(longest, *each, "turns_per_second", each->turn_rate.wait(now));
    keep_longest(longest, *each, "cpu_ms_per_second", each->cpu_rate.wait(now));
  }
  return longest;
}

void begin_turn(Allowance* tenant, std::uint64_t memory, Instant now) {
  for (Allowance* each = tenant; each != nullptr; each = each->above) {
    each->turns.take(1);
    each->memory.take(memory);
    each->turn_rate.take(1, now);
  }
}

void end_turn(Allowance* tenant, std::uint64_t memory) {
  for (Allowance* each = tenant; each != nullptr; each = each->above) {
    each->turns.give_back(1);
    each->memory.give_back(memory);
  }
}

void charge_cpu(Allowance* tenant, Nanos cpu) {
  for (Allowance* each = tenant; each != nullptr; each = each->above) {
    if (each->cpu_rate.limited())
      each->cpu_rate.take(static_cast<std::uint64_t>(cpu.count()),
                          std::chrono::steady_clock::now());
  }
}

std::optional<Shortage> stands_against_call(const Allowance* tenant, Instant now) {
  std::optional<Shortage> longest;
  for (const Allowance* each = tenant; each != nullptr; each = each->above) {
    keep_level(longest, *each, "concurrent_calls", each->calls, 1);
    keep_longest(longest, *each, "calls_per_second", each->call_rate.wait(now));
  }
  return longest;
}

void begin_call(Allowance* tenant, Instant now) {
  for (Allowance* each = tenant; each != nullptr; each = each->above) {
    each->calls.take(1);
    each->call_rate.take(1, now);
  }
}

void end_call(Allowance* tenant) {
  for (Allowance* each = tenant; each != nullptr; each = each->above) each->calls.give_back(1);
}

bool may_log(Allowance* tenant, std::uint64_t bytes, Instant now) {
  for (const Allowance* each = tenant; each != nullptr; each = each->above) {
    if (each->log_rate.wait(now) > Nanos(0)) return false;
  }
  for (Allowance* each = tenant; each != nullptr; each = each->above)
    each->log_rate.take(bytes, now);
  return true;
}

Allowance& Allowances::find_or_make(std::string_view tenant) {
  if (const auto found = all_.find(tenant); found != all_.end()) return *found->second;
  auto made = std::make_unique<Allowance>();
  made->tenant = tenant;
  const TenantName parent = parent_of(TenantName(std::string(tenant)));
  if (parent != kNode) made->above = &find_or_make(parent.str());
  return *all_.emplace(std::string(tenant), std::move(made)).first->second;
}

Allowance& Allowances::of(std::string_view tenant) {
  const std::lock_guard lock(mutex_);
  return find_or_make(tenant);
}

void Allowances::set(std::string_view tenant, const Quotas& quotas) {
  constexpr std::uint64_t kNanosAMilli = 1'000'000;
  Allowance& found = of(tenant);
  found.turns.limit(quotas.concurrent_turns.value_or(kNoLimit));
  found.memory.limit(quotas.memory_bytes.value_or(kNoLimit));
  found.calls.limit(quotas.concurrent_calls.value_or(kNoLimit));
  found.turn_rate.limit(quotas.turns_per_second.value_or(kNoLimit));
  found.call_rate.limit(quotas.calls_per_second.value_or(kNoLimit));
  found.log_rate.limit(quotas.log_bytes_per_second.value_or(kNoLimit));
  found.cpu_rate.limit(quotas.cpu_ms_per_second ? *quotas.cpu_ms_per_second * kNanosAMilli
                                                : kNoLimit);
  found.weight.store(static_cast<std::uint32_t>(quotas.weight.value_or(1)), kRelaxed);
}

}  // namespace carrel::tenant
