#include "async/run_queue.h"

#include <algorithm>

namespace carrel::async {

namespace {
constexpr std::int64_t kTick = std::chrono::nanoseconds(std::chrono::milliseconds(1)).count();
// Of a tenant not seen before: after those known to be short, before those known to be long.
constexpr std::int64_t kUnknown = kTick / 2;
// A slice counts for one part in so many of what the next is expected to be.
constexpr std::int64_t kMemory = 8;
}  // namespace

RunAccount::RunAccount(std::uint32_t weight)
    : weight_(weight == 0 ? 1 : weight), expected_(kUnknown) {}

bool RunQueue::Less::operator()(const RunAccount* a, const RunAccount* b) const {
  if (a->finish_ != b->finish_) return a->finish_ < b->finish_;
  return a->arrival_ > b->arrival_;
}

void RunQueue::insert(RunAccount& account) {
  account.virtual_time_ = std::max(account.virtual_time_, now_);
  account.finish_ = account.virtual_time_ + account.expected_ / account.weight_;
  runnable_.insert(&account);
  weight_ += account.weight_;
}

void RunQueue::erase(RunAccount& account) {
  runnable_.erase(&account);
  weight_ -= account.weight_;
}

void RunQueue::run_at_once(RunAccount& account) {
  account.virtual_time_ = std::max(account.virtual_time_, now_);
  now_ = account.virtual_time_;
}

void RunQueue::push(RunAccount& account, std::coroutine_handle<> waiter) {
  if (account.waiting_.empty()) {
    account.arrival_ = ++arrivals_;
    insert(account);
  }
  account.waiting_.push_back({waiter, std::chrono::steady_clock::now()});
  ++figures_.waiting;
}

void RunQueue::remove(RunAccount& account, std::coroutine_handle<> waiter) {
  auto at = std::ranges::find(account.waiting_, waiter, &RunAccount::Waiter::self);
  if (at == account.waiting_.end()) return;
  account.waiting_.erase(at);
  if (account.waiting_.empty()) erase(account);
  --figures_.waiting;
}

void RunQueue::charge(RunAccount& account, Nanos used) {
  figures_.cpu_nanos.add(static_cast<std::uint64_t>(std::max(used, Nanos()).count()));
  const bool queued = !account.waiting_.empty();
  if (queued) erase(account);
  account.virtual_time_ = std::max(account.virtual_time_, now_) + used.count() / account.weight_;
  const std::int64_t slice = std::clamp<std::int64_t>(used.count(), 0, kTick);
  account.expected_ += (slice - account.expected_) / (account.known_ ? kMemory : 1);
  account.known_ = true;
  carried_ += std::max<std::int64_t>(used.count(), 0);
  const auto all = static_cast<std::int64_t>(weight_ + account.weight_);
  now_ += carried_ / all;
  carried_ %= all;
  if (queued) insert(account);
}

void RunQueue::run_next() {
  RunAccount* account = *runnable_.begin();
  // Nobody's virtual time is less, since no slice is expected to be longer than a tick.
  now_ = std::max(now_, account->finish_ - kTick);
  const RunAccount::Waiter waiter = account->waiting_.front();
  account->waiting_.pop_front();
  if (account->waiting_.empty()) erase(*account);
  --figures_.waiting;
  figures_.waited.add(std::chrono::steady_clock::now() - waiter.since);
  waiter.self.resume();
}

}  // namespace carrel::async
