#include "store/tickets.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <coroutine>
#include <deque>
#include <mutex>
#include <unordered_map>

namespace carrel::store {
namespace {

constexpr auto kLongest = std::chrono::seconds(10);
constexpr std::size_t kFilter = 4096;

// One turn waiting for one name. `waiting` is touched on its shard only.
struct Waiter {
  async::Shard* shard = nullptr;
  TicketHolder holder{};
  std::coroutine_handle<> waiting;
};

struct Queue {
  TicketHolder holder{};
  Instant since;
  std::deque<std::shared_ptr<Waiter>> waiters;
};

}  // namespace

struct TicketTable::Impl {
  mutable std::mutex mutex;
  std::unordered_map<std::uint64_t, Queue> queues;
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> held;  // by holder
  std::array<std::atomic<std::uint32_t>, kFilter> filter{};            // queues by hash
  std::atomic<std::uint64_t> next_holder = 1;
  Counts counts;

  std::atomic<std::uint32_t>& cell(std::uint64_t name) { return filter[name % kFilter]; }

  void give(std::uint64_t name, Queue& queue, TicketHolder holder) {
    queue.holder = holder;
    queue.since = std::chrono::steady_clock::now();
    held[static_cast<std::uint64_t>(holder)].push_back(name);
  }

  // The ticket goes to the next in the queue, or the queue ends.
  void pass_on(std::uint64_t name) {
    const auto found = queues.find(name);
    if (found == queues.end()) return;
    Queue& queue = found->second;
    if (queue.waiters.empty()) {
      queues.erase(found);
      cell(name).fetch_sub(1, std::memory_order_relaxed);
      return;
    }
    auto next = std::move(queue.waiters.front());
    queue.waiters.pop_front();
    give(name, queue, next->holder);
    auto& shard = *next->shard;
    shard.submit([next = std::move(next)] {
      if (next->waiting) std::exchange(next->waiting, nullptr).resume();
    });
  }

  void give_back(TicketHolder holder) {
    const std::lock_guard lock(mutex);
    const auto found = held.find(static_cast<std::uint64_t>(holder));
    if (found == held.end()) return;
    const auto names = std::move(found->second);
    held.erase(found);
    for (const auto name : names) {
      const auto queue = queues.find(name);
      if (queue != queues.end() && queue->second.holder == holder) pass_on(name);
    }
  }

  // True: the ticket is the waiter's.
  bool join(std::uint64_t name, const std::shared_ptr<Waiter>& waiter) {
    const std::lock_guard lock(mutex);
    const auto [at, fresh] = queues.try_emplace(name);
    if (fresh) {
      cell(name).fetch_add(1, std::memory_order_relaxed);
      give(name, at->second, waiter->holder);
      return true;
    }
    if (at->second.holder == waiter->holder) return true;
    at->second.waiters.push_back(waiter);
    ++counts.waited;
    return false;
  }

  void leave(std::uint64_t name, const std::shared_ptr<Waiter>& waiter) {
    const std::lock_guard lock(mutex);
    if (const auto found = queues.find(name); found != queues.end()) {
      std::erase(found->second.waiters, waiter);
    }
  }
};

TicketTable::TicketTable() : impl_(std::make_shared<Impl>()) {}
TicketTable::~TicketTable() = default;

bool TicketTable::contended(std::uint64_t name) const {
  if (impl_->cell(name).load(std::memory_order_relaxed) == 0) return false;
  const std::lock_guard lock(impl_->mutex);
  return impl_->queues.contains(name);
}

bool TicketTable::held_by_other(std::uint64_t name, TicketHolder holder) const {
  if (impl_->cell(name).load(std::memory_order_relaxed) == 0) return false;
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->queues.find(name);
  return found != impl_->queues.end() && found->second.holder != holder;
}

void TicketTable::give_back(TicketHolder holder) {
  if (holder != TicketHolder{}) impl_->give_back(holder);
}

void TicketTable::pass_on_late() {
  const std::lock_guard lock(impl_->mutex);
  const auto now = std::chrono::steady_clock::now();
  std::vector<std::uint64_t> late;
  for (const auto& [name, queue] : impl_->queues) {
    if (now - queue.since > kLongest) late.push_back(name);
  }
  for (const auto name : late) {
    ++impl_->counts.passed_on;
    std::erase(impl_->held[static_cast<std::uint64_t>(impl_->queues[name].holder)], name);
    impl_->pass_on(name);
  }
}

TicketTable::Counts TicketTable::counts() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->counts;
}

struct Tickets::Impl {
  std::shared_ptr<TicketTable::Impl> table;
  async::Shard& shard;
  TicketHolder holder{};
};

namespace {

template <typename Table>
struct Wait {
  std::shared_ptr<Table> table;
  std::uint64_t name;
  std::shared_ptr<Waiter> waiter;
  async::Shard::Soon soon;

  Wait(std::shared_ptr<Table> where, std::uint64_t what, async::Shard& shard, TicketHolder who)
      : table(std::move(where)), name(what), waiter(std::make_shared<Waiter>()), soon(shard) {
    waiter->shard = &shard;
    waiter->holder = who;
  }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait() {
    if (waiter->waiting) table->leave(name, waiter);
    waiter->waiting = nullptr;
  }
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> caller) {
    waiter->waiting = caller;  // before another thread may submit its resumption to this one
    if (!table->join(name, waiter)) return true;
    waiter->waiting = nullptr;
    return false;
  }
  void await_resume() const noexcept {}
};

}  // namespace

Tickets::Tickets(TicketTable& table, async::Shard& shard)
    : impl_(std::make_shared<Impl>(Impl{.table = table.impl_, .shard = shard})) {}
Tickets::~Tickets() { give_back(); }

async::Task<void> Tickets::take(std::vector<std::uint64_t> names) {
  give_back();
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  auto table = impl_->table;
  impl_->holder = TicketHolder{table->next_holder.fetch_add(1, std::memory_order_relaxed)};
  for (std::size_t i = 0; i < names.size(); ++i) {
    co_await Wait<TicketTable::Impl>(table, names[i], impl_->shard, impl_->holder);
  }
}

bool Tickets::empty() const { return impl_->holder == TicketHolder{}; }
TicketHolder Tickets::holder() const { return impl_->holder; }
void Tickets::give_back() {
  if (const auto holder = std::exchange(impl_->holder, TicketHolder{}); holder != TicketHolder{}) {
    impl_->table->give_back(holder);
  }
}

}  // namespace carrel::store
