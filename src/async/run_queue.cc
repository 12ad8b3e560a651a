#include "async/run_queue.h"

#include <algorithm>

namespace carrel::async {

namespace {
// Half a tick: less than any slice that a tick ended, more than many short turns together.
constexpr std::int64_t kCredit = std::chrono::nanoseconds(std::chrono::microseconds(500)).count();
}  // namespace

bool RunQueue::Less::operator()(const RunAccount* a, const RunAccount* b) const {
  if (a->place_ != b->place_) return a->place_ < b->place_;
  return a->arrival_ > b->arrival_;
}

std::int64_t RunQueue::place_of(const RunAccount& account) const {
  return std::max(account.virtual_time_ - kCredit, now_);
}

void RunQueue::run_at_once(RunAccount& account) {
  account.virtual_time_ = std::max(account.virtual_time_, now_);
  now_ = account.virtual_time_;
}

void RunQueue::push(RunAccount& account, std::coroutine_handle<> waiter) {
  if (account.waiting_.empty()) {
    account.virtual_time_ = std::max(account.virtual_time_, now_);
    account.place_ = place_of(account);
    account.arrival_ = ++arrivals_;
    account.waiting_.push_back({waiter, std::chrono::steady_clock::now()});
    runnable_.insert(&account);
  } else {
    account.waiting_.push_back({waiter, std::chrono::steady_clock::now()});
  }
  ++figures_.waiting;
}

void RunQueue::remove(RunAccount& account, std::coroutine_handle<> waiter) {
  auto at = std::ranges::find(account.waiting_, waiter, &RunAccount::Waiter::self);
  if (at == account.waiting_.end()) return;
  account.waiting_.erase(at);
  if (account.waiting_.empty()) runnable_.erase(&account);
  --figures_.waiting;
}

void RunQueue::charge(RunAccount& account, Nanos used) {
  figures_.cpu_nanos.add(static_cast<std::uint64_t>(std::max(used, Nanos()).count()));
  const bool queued = !account.waiting_.empty();
  if (queued) runnable_.erase(&account);
  account.virtual_time_ = std::max(account.virtual_time_, now_) + used.count() / account.weight_;
  if (queued) {
    account.place_ = place_of(account);
    runnable_.insert(&account);
  }
}

void RunQueue::run_next() {
  RunAccount* account = *runnable_.begin();
  now_ = std::max(now_, account->place_);
  const RunAccount::Waiter waiter = account->waiting_.front();
  account->waiting_.pop_front();
  if (account->waiting_.empty()) runnable_.erase(runnable_.begin());
  --figures_.waiting;
  figures_.waited.add(std::chrono::steady_clock::now() - waiter.since);
  waiter.self.resume();
}

}  // namespace carrel::async
