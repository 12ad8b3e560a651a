#include "runtime/admission.h"

#include <fmt/format.h>

#include <algorithm>

#include "async/event.h"
#include "async/first_of.h"

namespace carrel::runtime {
namespace {

// Whether a turn on another shard, or of a tenant beside, has left room below a quota.
constexpr auto kLook = std::chrono::milliseconds(10);

async::Task<void> until(async::Event* event) { co_await *event; }

}  // namespace

// A tenant's place on one shard: its turns, those that wait, and who pays for their CPU time. A
// change of its weight is for turns that begin after it.
struct Admission::Seat {
  std::shared_ptr<async::RunAccount> account = std::make_shared<async::RunAccount>();
  std::uint32_t weight = 1;
  std::size_t running = 0;
  std::size_t taken = 0;    // places
  std::list<Waiter*> line;  // in order of arrival
};

// In the waiting coroutine's frame: destroying that takes it out of the line.
struct Admission::Waiter {
  enum class State : std::uint8_t { in_line, granted, claimed };

  Admission& admission;
  Seat& seat;
  Demand demand;
  Instant since = std::chrono::steady_clock::now();
  std::list<Waiter*>::iterator place;
  async::Event woken;
  State state = State::in_line;

  Waiter(Admission& owner, Seat& its_seat, const Demand& needs)
      : admission(owner),
        seat(its_seat),
        demand(needs),
        place(its_seat.line.insert(its_seat.line.end(), this)) {
    ++admission.figures_.waiting;
    if (demand.places > 1) ++admission.waiting_for_several_;
    if (seat.line.size() == 1) admission.lines_.push_back(&seat);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    if (state == State::in_line) leave_line();
    if (state == State::granted) admission.leave(seat, demand);
  }

  bool first() const { return seat.line.front() == this; }

  // The first of a line looks for room by itself; whoever becomes it is told.
  void leave_line() {
    --admission.figures_.waiting;
    if (demand.places > 1) --admission.waiting_for_several_;
    const bool was_first = first();
    seat.line.erase(place);
    if (seat.line.empty()) {
      admission.lines_.remove(&seat);
    } else if (was_first) {
      seat.line.front()->woken.signal();
    }
  }
  void grant() {
    state = State::granted;
    admission.take(seat, demand);
    leave_line();
    woken.signal();  // may end this object
  }
  Ticket claim() {
    state = State::claimed;
    return {&admission, &seat, demand};
  }
};

Admission::Ticket::Ticket(Admission* admission, Seat* seat, const Demand& demand)
    : admission_(admission), seat_(seat), demand_(demand), account_(seat->account) {}

Admission::Admission(async::Shard& shard, const AdmissionLimits& limits)
    : shard_(shard), limits_(limits) {}
Admission::~Admission() = default;

Admission::Seat& Admission::seat(const TenantName& tenant, const Demand& demand) {
  auto& place = seats_[tenant];
  if (!place) place = std::make_unique<Seat>();
  if (demand.allowance != nullptr) {
    const std::uint32_t weight = demand.allowance->weight.load(std::memory_order_relaxed);
    if (weight != place->weight) {
      place->weight = weight;
      place->account = std::make_shared<async::RunAccount>(weight);
    }
  }
  return *place;
}

Error too_many_places(std::size_t places, std::size_t share) {
  return Error(Code::module_too_large,
               fmt::format("each turn of this component takes {} places, for all its memories, and "
                           "on this node a tenant has {} on each shard",
                           places, share),
               "compose it of fewer components, or give the node more memory or fewer shards "
               "(`carrel doctor` shows its slots)");
}

// As far as its tenant is concerned.
bool Admission::may_have(const Seat& seat, const Demand& demand) const {
  return seat.taken + demand.places <= limits_.turns_a_tenant &&
         (demand.allowance == nullptr ||
          !tenant::stands_against_turn(demand.allowance, demand.memory,
                                       std::chrono::steady_clock::now()));
}

bool Admission::has_room(const Seat& seat, const Demand& demand) const {
  return taken_ + demand.places <= limits_.turns && may_have(seat, demand);
}

// Who has waited long enough for several places, of which the shard alone has too few: single ones
// would be taken by others for ever. Null: nobody.
const Admission::Waiter* Admission::held_for() const {
  if (waiting_for_several_ == 0) return nullptr;
  const Instant latest = std::chrono::steady_clock::now() - limits_.passed_over;
  for (const Seat* seat : lines_) {
    const Waiter& first = *seat->line.front();
    if (first.demand.places > 1 && first.since <= latest &&
        taken_ + first.demand.places > limits_.turns && may_have(*seat, first.demand))
      return &first;
  }
  return nullptr;
}

void Admission::take(Seat& seat, const Demand& demand) {
  ++figures_.running;
  ++seat.running;
  taken_ += demand.places;
  seat.taken += demand.places;
  if (demand.allowance != nullptr)
    tenant::begin_turn(demand.allowance, demand.memory, std::chrono::steady_clock::now());
}

std::optional<Admission::Ticket> Admission::try_enter(const TenantName& tenant,
                                                      const Demand& demand) {
  Seat& mine = seat(tenant, demand);
  if (!mine.line.empty() || !has_room(mine, demand) || held_for() != nullptr) return std::nullopt;
  take(mine, demand);
  return Ticket(this, &mine, demand);
}

// Nothing: there will be no room before somebody on this shard has left.
std::optional<Nanos> Admission::until_next_look(const Seat& seat, const Demand& demand) const {
  if (seat.taken + demand.places > limits_.turns_a_tenant) return {};
  const auto shortage = tenant::stands_against_turn(demand.allowance, demand.memory,
                                                    std::chrono::steady_clock::now());
  if (!shortage) return {};
  return shortage->wait == Nanos(0) ? Nanos(kLook) : shortage->wait;
}

Error Admission::refusal(const TenantName& tenant, const Seat& seat, const Demand& demand) const {
  if (seat.taken + demand.places > limits_.turns_a_tenant) {
    return Error(Code::too_many_requests,
                 fmt::format("tenant {} has {} turns in progress and {} waiting", tenant.str(),
                             seat.running, seat.line.size()));
  }
  const auto shortage = tenant::stands_against_turn(demand.allowance, demand.memory,
                                                    std::chrono::steady_clock::now());
  if (shortage) return Error(Code::too_many_requests, tenant::text_of(*shortage));
  // There would be room now, were there not those before it.
  if (taken_ + demand.places <= limits_.turns && held_for() == nullptr) {
    return Error(Code::too_many_requests,
                 fmt::format("tenant {} has {} turns waiting", tenant.str(), seat.line.size()));
  }
  return Error(Code::overloaded, fmt::format("{} turns in progress on this shard", running()));
}

async::Task<Result<Admission::Ticket>> Admission::enter(TenantName tenant, Demand demand) {
  if (auto ticket = try_enter(tenant, demand)) co_return std::move(*ticket);
  if (demand.places > limits_.turns_a_tenant)
    co_return std::unexpected(too_many_places(demand.places, limits_.turns_a_tenant));
  Seat& mine = seat(tenant, demand);
  if (mine.line.size() >= limits_.waiting_a_tenant)
    co_return std::unexpected(refusal(tenant, mine, demand));
  Waiter waiter(*this, mine, demand);
  const Instant end = std::chrono::steady_clock::now() + limits_.longest_wait;
  for (;;) {
    if (waiter.state == Waiter::State::in_line && waiter.first() && has_room(mine, demand) &&
        held_for() == nullptr)
      waiter.grant();
    if (waiter.state == Waiter::State::granted) break;
    const Nanos left = end - std::chrono::steady_clock::now();
    const bool first = waiter.first();
    const auto look = first ? until_next_look(mine, demand) : std::nullopt;
    // What will not be there in time is not waited for.
    if (left <= Nanos(0) || (look && *look > left))
      co_return std::unexpected(refusal(tenant, mine, demand));
    // The first is not told when only a quota stands against it: whoever leaves goes on to others.
    const Nanos pause = first ? std::min<Nanos>(left, kLook) : left;
    co_await async::first_of(until(&waiter.woken), shard_.sleep_for(look.value_or(pause)));
  }
  Ticket ticket = waiter.claim();
  // Whoever left resumed us on its own stack: let it finish, and let the run queue say who is next.
  co_await shard_.run_queue().turn(ticket.account());
  co_return std::move(ticket);
}

void Admission::leave(Seat& seat, const Demand& demand) {
  --figures_.running;
  --seat.running;
  taken_ -= demand.places;
  seat.taken -= demand.places;
  tenant::end_turn(demand.allowance, demand.memory);
  for (std::size_t left = demand.places; left > 0 && let_next_in(); --left) {
  }
}

bool Admission::let_next_in() {
  const Waiter* const held = held_for();
  for (auto at = lines_.begin(); at != lines_.end(); ++at) {
    Waiter& next = *(*at)->line.front();
    if (!has_room(**at, next.demand)) {
      if (held == &next) return false;
      continue;
    }
    lines_.splice(lines_.end(), lines_, at);  // the others go first the next time
    next.grant();
    return true;
  }
  return false;
}

}  // namespace carrel::runtime
