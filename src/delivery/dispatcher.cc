#include "delivery/dispatcher.h"

#include <algorithm>
#include <random>

#include "async/first_of.h"
#include "async/pause.h"
#include "delivery/attempt_steps.h"
#include "delivery/ring.h"
#include "store/record.h"
#include "turn/step.h"

namespace carrel::delivery {
namespace {

using async::Task;

constexpr std::size_t kPage = 1000;                // names read at once
constexpr std::chrono::seconds kLongestSleep{10};  // the machine's clock may be set
constexpr std::size_t kAtOnce = 256;               // looked at before others have their turn

std::uint64_t in_milliseconds(Nanos time) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(time).count(), 0));
}

Task<void> until_signalled(async::Event* event) { co_await *event; }

}  // namespace

Dispatcher::Dispatcher(async::Shard& shard, const turn::Services& services, const Clock& clock,
                       Receiver& receiver, DispatchLimits limits)
    : shard_(shard),
      services_(services),
      clock_(clock),
      receiver_(receiver),
      limits_(limits),
      random_(std::random_device()()) {}

Dispatcher::~Dispatcher() = default;

std::uint64_t Dispatcher::now() const { return store::milliseconds(clock_.wall()); }

Task<Result<void>> Dispatcher::load(unsigned index, unsigned count) {
  index_ = index;
  count_ = count;
  CARREL_CO_TRY_VOID(co_await load_from(kOpen, index, count));
  co_return co_await load_from(kDead, index, count);
}

// A page at a time: no view of the store is held for long.
Task<Result<void>> Dispatcher::load_from(store::Place place, unsigned index, unsigned count) {
  std::string after;
  for (bool end = false; !end;) {
    store::Transaction transaction(*services_.store, TenantName(), {});
    CARREL_CO_TRY(const store::NamePage page,
                  co_await transaction.read_names(place, "", after, kPage));
    end = page.end || page.entries.empty();
    if (!end) after = page.entries.back().name;
    for (const auto& entry : page.entries) {
      const auto name = parse_record_name(entry.name);
      if (!name || owner_of(name->id, count) != index) continue;
      receiver_.kept(*name);
      if (place == kDead) {
        dead_.add(name->lane, entry.expires);
        continue;
      }
      const auto found = co_await transaction.read(place, entry.name);
      auto item = !found              ? Result<Item>(std::unexpected(found.error()))
                  : *found == nullptr ? fail(Code::data_corrupt)
                                      : decode(*name, (*found)->bytes);
      if (!item) {
        receiver_.damaged(*name);
        continue;
      }
      // It may be the one that ended the process: it waits its time as after any other failure.
      const Retry retry = receiver_.retry(*item);
      if (item->marked != 0 && item->attempts < retry.most())
        item->due = item->marked + in_milliseconds(wait_after(retry, item->attempts, 0));
      opened(*name, item->due);
    }
  }
  co_return Result<void>();
}

void Dispatcher::add(const Name& name, std::uint64_t due) {
  if (open_.contains(name)) return;
  receiver_.kept(name);
  opened(name, due);
  changed_.signal();
}

void Dispatcher::add_again(const Name& name, std::uint64_t due) {
  dead_.remove(name.lane);
  figures_.redriven.add();
  opened(name, due);
  changed_.signal();
}

void Dispatcher::forget(const ErasedItems& erased) {
  for (const Name& name : erased.open) {
    failing_.erase(name.lane);
    const auto found = open_.find(name);
    // What is ready or under way is found to be gone by its own commits.
    if (found == open_.end() || found->second == waiting_.end()) continue;
    waiting_.erase(found->second);
    closed(name);
    receiver_.gone(name);
  }
  for (const Name& name : erased.dead) {
    failing_.erase(name.lane);
    dead_.remove(name.lane);
    receiver_.gone(name);
  }
}

void Dispatcher::opened(const Name& name, std::uint64_t due) {
  const auto [entry, fresh] = open_.try_emplace(name, waiting_.end());
  if (!fresh) return;
  entry->second = waiting_.emplace(due, &entry->first);
  ++figures_.open;
  ++owner_of_lane(name.lane).open;
}

// An owner in turn has something ready, which is open.
void Dispatcher::closed(const Name& name) {
  open_.erase(name);
  --figures_.open;
  const auto owner = owners_.find(owner_in(name.lane));
  if (--owner->second.open == 0) owners_.erase(owner);
}

Dispatcher::Owner& Dispatcher::owner_of_lane(std::string_view lane) {
  const std::string_view name = owner_in(lane);
  const auto found = owners_.find(name);
  return found != owners_.end() ? found->second : owners_[std::string(name)];
}

bool Dispatcher::has_room(std::string_view lane) const {
  const auto owner = owners_.find(owner_in(lane));
  return open() < limits_.open &&
         (owner == owners_.end() || owner->second.open < limits_.open_an_owner);
}

void Dispatcher::start() {
  delivering_ = true;
  if (!loop_) {
    loop_ = loop();
    loop_.start();
  } else {
    changed_.signal();
  }
}

void Dispatcher::pause() { delivering_ = false; }

Task<void> Dispatcher::loop() {
  for (;;) {
    attempts_.remove_if([](const Task<void>& attempt) { return attempt.done(); });
    if (begin_due()) {
      co_await async::pause(shard_);
      continue;
    }
    if (!delivering_ || waiting_.empty()) {
      co_await changed_;
      continue;
    }
    const std::uint64_t at = now();
    const std::uint64_t due = std::max(waiting_.begin()->first, at + 1);
    const Nanos wait = std::min<Nanos>(std::chrono::milliseconds(due - at), kLongestSleep);
    co_await async::first_of(until_signalled(&changed_), shard_.sleep_for(wait));
  }
}

// Whether there is more to look at.
bool Dispatcher::begin_due() {
  const std::uint64_t at = now();
  std::size_t looked = 0;
  for (; looked < kAtOnce && !waiting_.empty() && waiting_.begin()->first <= at; ++looked) {
    const Name& name = *waiting_.begin()->second;
    const auto entry = open_.find(name);
    waiting_.erase(waiting_.begin());
    entry->second = waiting_.end();
    const Nanos wait = receiver_.wait(name);
    if (wait > Nanos()) {
      entry->second = waiting_.emplace(at + in_milliseconds(wait), &entry->first);
      continue;
    }
    lanes_[name.lane].ready.push_back(name.id);
    give_turn(name.lane);
  }
  while (delivering_ && figures_.running.value() < limits_.running && !turns_.empty()) {
    const std::string owner = std::move(turns_.front());
    turns_.pop_front();
    begin(owner);
  }
  return looked == kAtOnce;
}

void Dispatcher::give_turn(const std::string& name) {
  Lane& lane = lanes_.find(name)->second;
  const bool fails = failing_.contains(name);
  const std::size_t most = fails ? 1 : limits_.running_a_lane;
  if (lane.in_turn || lane.ready.empty() || lane.running >= most) return;
  lane.in_turn = true;
  Owner& owner = owner_of_lane(name);
  (fails ? owner.slow_turns : owner.turns).push_back(name);
  give_turn(std::string(owner_in(name)), owner);
}

void Dispatcher::give_turn(const std::string& name, Owner& owner) {
  if (owner.in_turn || owner.running >= limits_.running_an_owner) return;
  if (owner.turns.empty() && !may_begin_slow(owner)) return;
  owner.in_turn = true;
  turns_.push_back(name);
}

bool Dispatcher::may_begin_slow(const Owner& owner) const {
  return !owner.slow_turns.empty() && owner.slow < std::max(limits_.running_an_owner / 2, 1UL);
}

// Lanes that go well and lanes that fail alternate.
void Dispatcher::begin(const std::string& name) {
  Owner& owner = owners_.find(name)->second;
  owner.in_turn = false;
  const bool slow = may_begin_slow(owner) && (owner.turns.empty() || owner.slow_next);
  owner.slow_next = !slow;
  if (slow) ++owner.slow;
  auto& turns = slow ? owner.slow_turns : owner.turns;
  const std::string lane_name = std::move(turns.front());
  turns.pop_front();
  Lane& lane = lanes_.find(lane_name)->second;
  lane.in_turn = false;
  ++lane.running;
  ++owner.running;
  ++figures_.running;
  const std::string id = std::move(lane.ready.front());
  lane.ready.pop_front();
  give_turn(lane_name);
  give_turn(name, owner);
  attempts_.push_back(deliver({.lane = lane_name, .id = id}, slow ? Pace::slow : Pace::usual));
  attempts_.back().start();
}

// While the store takes nothing it is tried again; what is damaged stays so.
Task<Result<void>> Dispatcher::commit(turn::Step* step) {
  for (;;) {
    auto done = co_await turn::commit(services_, TenantName(), {}, step);
    if (done || done.error().code() == Code::data_corrupt) co_return done;
    co_await shard_.sleep_for(limits_.store_retry);
  }
}

Task<void> Dispatcher::deliver(Name name, Pace pace) {
  Mark mark(receiver_, clock_, name);
  const auto marked = co_await commit(&mark);
  if (!marked) receiver_.damaged(name);
  if (!mark.item || !marked) {
    ended(name, pace, 0);
    if (marked) receiver_.gone(name);
    changed_.signal();
    co_return;
  }
  Item& item = *mark.item;
  Verdict verdict{.how = Verdict::How::hopeless, .cause = item.cause};
  if (!mark.lost) verdict = co_await receiver_.attempt(&item);
  count(verdict.how);
  learn(name, verdict.how);
  plan(item, verdict);
  std::optional<Name> dropped;
  if (verdict.how != Verdict::How::acknowledged) {
    const bool crowded = dead_.of(name.lane, now()) >= limits_.dead_a_lane;
    Settlement settlement(receiver_, item, verdict,
                          {.dead_until = now() + in_milliseconds(limits_.dead_for),
                           .crowded = crowded,
                           .index = index_,
                           .count = count_});
    if (!co_await commit(&settlement)) receiver_.damaged(name);
    dropped = std::move(settlement.dropped);
    if (settlement.gone) {
      failing_.erase(name.lane);
      verdict.how = Verdict::How::done;
    }
  }
  const bool open = verdict.how == Verdict::How::failed || verdict.how == Verdict::How::not_now;
  ended(name, pace, open ? item.due : 0);
  if (verdict.how == Verdict::How::hopeless) {
    dead_.add(name.lane, now() + in_milliseconds(limits_.dead_for));
    figures_.dead.add();
    receiver_.died(item);
  }
  if (dropped) {
    dead_.remove(dropped->lane);
    receiver_.dropped(*dropped);
  }
  if (verdict.how == Verdict::How::done || verdict.how == Verdict::How::acknowledged)
    receiver_.gone(name);
  changed_.signal();
}

void Dispatcher::count(Verdict::How how) {
  using How = Verdict::How;
  if (how == How::not_now) return figures_.not_now.add();
  const bool well = how == How::done || how == How::acknowledged;
  (well ? figures_.done : figures_.failed).add();
}

void Dispatcher::learn(const Name& name, Verdict::How how) {
  if (how == Verdict::How::failed) {
    failing_.insert(name.lane);
  } else if (how != Verdict::How::not_now) {
    failing_.erase(name.lane);
  }
}

// What its record is to say.
void Dispatcher::plan(Item& item, Verdict& verdict) {
  using How = Verdict::How;
  const Retry retry = receiver_.retry(item);
  if (verdict.how == How::failed && item.attempts >= retry.most()) verdict.how = How::hopeless;
  if (verdict.how == How::failed || verdict.how == How::hopeless) item.cause = verdict.cause;
  item.marked = 0;
  Nanos wait = verdict.after;
  if (verdict.how == How::failed) {
    const double chance = std::uniform_real_distribution<double>(0, 1)(random_);
    wait = std::max(wait, wait_after(retry, item.attempts, chance));
  }
  if (verdict.how == How::not_now) --item.attempts;
  item.due = now() + in_milliseconds(wait);
}

// `due`: when it is tried again; 0: it is not.
void Dispatcher::ended(const Name& name, Pace pace, std::uint64_t due) {
  --figures_.running;
  const auto lane = lanes_.find(name.lane);
  --lane->second.running;
  give_turn(name.lane);
  if (lane->second.running == 0 && lane->second.ready.empty()) lanes_.erase(lane);
  const auto owner = owners_.find(owner_in(name.lane));
  --owner->second.running;
  if (pace == Pace::slow) --owner->second.slow;
  if (due != 0) {
    const auto entry = open_.find(name);
    entry->second = waiting_.emplace(due, &entry->first);
  } else {
    const bool last = owner->second.open == 1;
    closed(name);
    if (last) return;
  }
  give_turn(owner->first, owner->second);
}

}  // namespace carrel::delivery
