#include "runtime/admission.h"

#include <fmt/format.h>

#include "async/event.h"
#include "async/first_of.h"

namespace carrel::runtime {

// In the waiting coroutine's frame: destroying that takes it out of the line.
struct Admission::Waiter {
  enum class State : std::uint8_t { in_line, granted, claimed };

  Admission& admission;
  TenantSeat& seat;
  std::list<Waiter*>::iterator place;
  async::Event woken;
  State state = State::in_line;

  Waiter(Admission& owner, TenantSeat& its_seat)
      : admission(owner), seat(its_seat), place(owner.waiters_.insert(owner.waiters_.end(), this)) {
    ++seat.waiting;
    ++admission.figures_.waiting;
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    if (state == State::in_line) leave_line();
    if (state == State::granted) admission.leave(seat);
  }

  void leave_line() {
    admission.waiters_.erase(place);
    --seat.waiting;
    --admission.figures_.waiting;
  }
  void grant() {
    leave_line();
    state = State::granted;
    admission.take(seat);
    woken.signal();  // may end this object
  }
  Ticket claim() {
    state = State::claimed;
    return Ticket(&admission, &seat);
  }
};

namespace {
async::Task<void> until(async::Event* event) { co_await *event; }
}  // namespace

TenantSeat& Admission::seat(const TenantName& tenant) {
  auto& place = seats_[tenant];
  if (!place) place = std::make_unique<TenantSeat>();
  return *place;
}

bool Admission::has_room(const TenantSeat& seat) const {
  return running() < limits_.turns && seat.running < limits_.turns_a_tenant;
}

void Admission::take(TenantSeat& seat) {
  ++figures_.running;
  ++seat.running;
}

std::optional<Admission::Ticket> Admission::try_enter(const TenantName& tenant) {
  TenantSeat& mine = seat(tenant);
  if (mine.waiting > 0 || !has_room(mine)) return std::nullopt;
  take(mine);
  return Ticket(this, &mine);
}

async::Task<Result<Admission::Ticket>> Admission::enter(TenantName tenant) {
  if (auto ticket = try_enter(tenant)) co_return std::move(*ticket);
  TenantSeat& mine = seat(tenant);
  const bool over_share = mine.running >= limits_.turns_a_tenant;
  if (mine.waiting < limits_.waiting_a_tenant) {
    Waiter waiter(*this, mine);
    async::Task<void> woken = until(&waiter.woken);
    async::Task<void> late = shard_.sleep_for(limits_.longest_wait);
    co_await async::first_of(std::move(woken), std::move(late));
    if (waiter.state == Waiter::State::granted) {
      Ticket ticket = waiter.claim();
      // Whoever left resumed us on its own stack: let it finish, and let the run queue say who is
      // next.
      co_await shard_.run_queue().turn(mine.account);
      co_return std::move(ticket);
    }
  }
  if (over_share) {
    co_return fail(Code::too_many_requests,
                   fmt::format("tenant {} has {} turns in progress and {} waiting", tenant.str(),
                               mine.running, mine.waiting));
  }
  co_return fail(Code::overloaded, fmt::format("{} turns in progress on this shard", running()));
}

void Admission::leave(TenantSeat& seat) {
  --figures_.running;
  --seat.running;
  for (auto at = waiters_.begin(); at != waiters_.end(); ++at) {
    Waiter& waiter = **at;
    if (!has_room(waiter.seat)) continue;
    waiter.grant();
    return;
  }
}

}  // namespace carrel::runtime
