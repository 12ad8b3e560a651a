#include "turn/output_gate.h"

#include <algorithm>

namespace carrel::turn {

// Lives in the waiting coroutine's frame and takes itself out when that is destroyed.
struct OutputGate::Wait {
  OutputGate& gate;
  store::Version needed;
  async::Shard::Soon soon;
  std::coroutine_handle<> handle{};
  Waiters::iterator place{};
  bool waiting = false, durable = false;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) {
    handle = caller;
    place = gate.waiters_.emplace(needed, this);
    waiting = true;
  }
  bool await_resume() const noexcept { return durable; }
  ~Wait() {
    if (waiting) gate.take_out(place);
  }
};

OutputGate::OutputGate(store::ShardStore& store) : store_(store), durable_(store.durable()) {
  store_.set_listener(this);
}
OutputGate::~OutputGate() { store_.set_listener(nullptr); }

async::Task<Result<void>> OutputGate::wait(store::Version needed) {
  if (open_for(needed)) co_return Result<void>();
  if (!failed_ && !lost(needed)) {
    store_.listen();
    store_.want_durable(needed);
    Wait wait{.gate = *this, .needed = needed, .soon = async::Shard::Soon(store_.shard())};
    if (co_await wait) co_return Result<void>();
  }
  co_return fail(Code::commit_unknown, "the store failed before the turn was on the disk");
}

void OutputGate::take_out(Waiters::iterator place) {
  waiters_.erase(place);
  if (waiters_.empty()) store_.pause();
}

// Who is resumed may destroy others that wait, so nothing is kept from one step to the next.
void OutputGate::release_first(bool durable) {
  Wait* wait = waiters_.begin()->second;
  take_out(waiters_.begin());
  wait->waiting = false;
  wait->durable = durable;
  wait->handle.resume();
}

void OutputGate::on_durable(store::Version version) {
  durable_ = version;
  while (!waiters_.empty() && waiters_.begin()->first <= durable_) release_first(true);
}

void OutputGate::on_failure(const Error&) {
  failed_ = true;
  while (!waiters_.empty()) release_first(false);
}

bool OutputGate::lost(store::Version needed) const {
  return std::ranges::any_of(
      lost_, [needed](const Lost& range) { return range.after < needed && needed < range.before; });
}

void OutputGate::on_reopened(store::Version version) {
  constexpr std::size_t kKept = 64;  // no turn lives through so many
  failed_ = false;
  lost_.push_back({durable_, version});
  if (lost_.size() > kKept) lost_.pop_front();
  on_durable(version);
}

}  // namespace carrel::turn
