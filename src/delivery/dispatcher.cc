#include "delivery/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "async/first_of.h"
#include "delivery/ring.h"
#include "store/record.h"
#include "turn/step.h"

namespace carrel::delivery {
namespace {

using async::Task;

constexpr std::size_t kPage = 1000;                // names read at once
constexpr std::chrono::seconds kLongestSleep{10};  // the machine's clock may be set

std::uint64_t in_milliseconds(Nanos time) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(time).count(), 0));
}

Task<void> until_signalled(async::Event* event) { co_await *event; }

}  // namespace

// One more attempt of an item begins.
class Dispatcher::Mark final : public turn::Step {
 public:
  Mark(const Dispatcher& dispatcher, const Name& name) : dispatcher_(dispatcher), name_(name) {}
  std::optional<Item> item;  // nothing: it is gone
  bool lost = false;         // it has ended the process too often: it was not marked

  Task<Result<void>> run(store::Transaction& transaction) override {
    item.reset();
    lost = false;
    const std::string name = record_name(name_);
    CARREL_CO_TRY(const store::Record* const found, co_await transaction.read(kOpen, name));
    if (found == nullptr) co_return Result<void>();
    CARREL_CO_TRY(item, decode(name_, found->bytes));
    if (item->marked != 0) {
      item->cause = fmt::format("the server ended during attempt {}", item->attempts);
      lost = item->attempts >= dispatcher_.receiver_.retry(*item).most();
      if (lost) co_return Result<void>();
    }
    ++item->attempts;
    item->marked = dispatcher_.now();
    co_return transaction.put(kOpen, name, {.bytes = encode(*item)});
  }

 private:
  const Dispatcher& dispatcher_;
  const Name& name_;
};

// What came of it.
class Dispatcher::Settlement final : public turn::Step {
 public:
  Settlement(const Dispatcher& dispatcher, const Item& item, const Verdict& verdict)
      : dispatcher_(dispatcher), item_(item), verdict_(verdict) {}

  Task<Result<void>> run(store::Transaction& transaction) override {
    const std::string name = record_name(item_.name);
    CARREL_CO_TRY(const store::Record* const found, co_await transaction.read(kOpen, name));
    if (found != nullptr) CARREL_CO_TRY_VOID(write(transaction, name));
    co_return co_await dispatcher_.receiver_.settle(&transaction, &item_, &verdict_);
  }

 private:
  Result<void> write(store::Transaction& transaction, const std::string& name) const {
    if (verdict_.how == Verdict::How::failed || verdict_.how == Verdict::How::not_now)
      return transaction.put(kOpen, name, {.bytes = encode(item_)});
    CARREL_TRY_VOID(transaction.erase(kOpen, name));
    if (verdict_.how != Verdict::How::hopeless) return {};
    const std::uint64_t end = dispatcher_.now() + in_milliseconds(dispatcher_.limits_.dead_for);
    return transaction.put(kDead, name, {.bytes = encode(item_), .expires = end});
  }

  const Dispatcher& dispatcher_;
  const Item& item_;
  const Verdict& verdict_;
};

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
      if (place == kDead) continue;
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
  receiver_.kept(name);
  add_again(name, due);
}

void Dispatcher::add_again(const Name& name, std::uint64_t due) {
  opened(name, due);
  changed_.signal();
}

void Dispatcher::opened(const Name& name, std::uint64_t due) {
  ++open_;
  ++owner_of_lane(name.lane).open;
  waiting_.emplace(due, name);
}

Dispatcher::Owner& Dispatcher::owner_of_lane(std::string_view lane) {
  const std::string_view name = owner_in(lane);
  const auto found = owners_.find(name);
  return found != owners_.end() ? found->second : owners_[std::string(name)];
}

bool Dispatcher::has_room(std::string_view lane) const {
  const auto owner = owners_.find(owner_in(lane));
  return open_ < limits_.open &&
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
    begin_due();
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

void Dispatcher::begin_due() {
  const std::uint64_t at = now();
  while (!waiting_.empty() && waiting_.begin()->first <= at) {
    auto next = waiting_.extract(waiting_.begin());
    const Nanos wait = receiver_.wait(next.mapped());
    if (wait > Nanos()) {
      next.key() = at + in_milliseconds(wait);
      waiting_.insert(std::move(next));
      continue;
    }
    const Name& name = next.mapped();
    lanes_[name.lane].ready.push_back(name.id);
    give_turn(name.lane);
  }
  while (delivering_ && running_ < limits_.running && !turns_.empty()) {
    const std::string owner = std::move(turns_.front());
    turns_.pop_front();
    begin(owner);
  }
}

void Dispatcher::give_turn(const std::string& name) {
  Lane& lane = lanes_.find(name)->second;
  if (lane.in_turn || lane.ready.empty() || lane.running >= limits_.running_a_lane) return;
  lane.in_turn = true;
  Owner& owner = owner_of_lane(name);
  owner.turns.push_back(name);
  give_turn(std::string(owner_in(name)), owner);
}

void Dispatcher::give_turn(const std::string& name, Owner& owner) {
  if (owner.in_turn || owner.turns.empty() || owner.running >= limits_.running_an_owner) return;
  owner.in_turn = true;
  turns_.push_back(name);
}

void Dispatcher::begin(const std::string& name) {
  Owner& owner = owners_.find(name)->second;
  owner.in_turn = false;
  const std::string lane_name = std::move(owner.turns.front());
  owner.turns.pop_front();
  Lane& lane = lanes_.find(lane_name)->second;
  lane.in_turn = false;
  ++lane.running;
  ++owner.running;
  ++running_;
  const std::string id = std::move(lane.ready.front());
  lane.ready.pop_front();
  give_turn(lane_name);
  give_turn(name, owner);
  attempts_.push_back(deliver({.lane = lane_name, .id = id}));
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

Task<void> Dispatcher::deliver(Name name) {
  Mark mark(*this, name);
  const auto marked = co_await commit(&mark);
  if (!marked) receiver_.damaged(name);
  if (!mark.item || !marked) {
    ended(name, 0);
    if (marked) receiver_.gone(name);
    changed_.signal();
    co_return;
  }
  Item& item = *mark.item;
  Verdict verdict{.how = Verdict::How::hopeless, .cause = item.cause};
  if (!mark.lost) verdict = co_await receiver_.attempt(&item);
  plan(item, verdict);
  if (verdict.how != Verdict::How::acknowledged) {
    Settlement settlement(*this, item, verdict);
    if (!co_await commit(&settlement)) receiver_.damaged(name);
  }
  const bool open = verdict.how == Verdict::How::failed || verdict.how == Verdict::How::not_now;
  ended(name, open ? item.due : 0);
  if (verdict.how == Verdict::How::hopeless) receiver_.died(item);
  if (verdict.how == Verdict::How::done || verdict.how == Verdict::How::acknowledged)
    receiver_.gone(name);
  changed_.signal();
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
void Dispatcher::ended(const Name& name, std::uint64_t due) {
  --running_;
  const auto lane = lanes_.find(name.lane);
  --lane->second.running;
  give_turn(name.lane);
  if (lane->second.running == 0 && lane->second.ready.empty()) lanes_.erase(lane);
  const auto owner = owners_.find(owner_in(name.lane));
  --owner->second.running;
  if (due != 0) {
    waiting_.emplace(due, name);
  } else {
    --open_;
    --owner->second.open;
  }
  if (owner->second.open == 0) {
    owners_.erase(owner);
  } else {
    give_turn(owner->first, owner->second);
  }
}

}  // namespace carrel::delivery
