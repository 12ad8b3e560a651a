// A receiver that does as a test says, on a store and a clock that the test sets.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "delivery/dead_letters.h"
#include "delivery/dispatcher.h"
#include "delivery/ring.h"
#include "store/store_test_support.h"
#include "turn/output_gate.h"

namespace carrel::delivery {

struct SetClock final : Clock {
  Instant now() const override { return system_clock().now(); }
  WallTime wall() const override { return WallTime(std::chrono::milliseconds(ms)); }
  std::int64_t ms = 1'000'000;
};

class TestReceiver final : public Receiver {
 public:
  using How = Verdict::How;
  Retry retry(const Item&) const override { return how_often; }
  Nanos wait(const Name&) const override { return not_yet; }
  async::Task<Verdict> attempt(const Item* item) override {
    tried.push_back(item->name.id);
    ++under_way[item->name.lane];
    most_under_way[item->name.lane] =
        std::max(most_under_way[item->name.lane], under_way[item->name.lane]);
    while (held) co_await shard->sleep_for(std::chrono::milliseconds(1));
    --under_way[item->name.lane];
    co_return verdict;
  }
  async::Task<Result<void>> settle(store::Transaction*, const Item* item, const Verdict*) override {
    settled.push_back(item->name.id);
    co_return Result<void>();
  }
  void kept(const Name& name) override { ++records[name.id]; }
  void gone(const Name& name) override { --records[name.id]; }
  void died(const Item& item) override { dead.push_back(item.name.id + ": " + item.cause); }
  void dropped(const Name& name) override { lost.push_back(name.id); }
  void damaged(const Name& name) override { bad.push_back(name.id); }

  async::Shard* shard = nullptr;
  Retry how_often{.waits = {std::chrono::seconds(10), std::chrono::seconds(100)}};
  Verdict verdict{.how = How::done};
  Nanos not_yet{};
  bool held = false;
  std::vector<std::string> tried, settled, dead, lost, bad;
  std::map<std::string, int> records, under_way, most_under_way;
};

class DeliveryFixture : public store::StoreFixture {
 protected:
  DeliveryFixture() {
    receiver.shard = &shard;
    start_store({.clock = &clock});
    gate.emplace(*local);
    services = {.store = local, .gate = &*gate};
    make();
  }
  ~DeliveryFixture() override { end(); }

  // As a process that is killed: what is under way is not settled.
  void end() {
    dispatcher.reset();
    store->stop();
    gate.reset();
    end_store();
  }
  void make() {
    dispatcher.emplace(shard, services, clock, receiver,
                       DispatchLimits{.running = 8,
                                      .running_an_owner = 3,
                                      .running_a_lane = 2,
                                      .dead_a_lane = 3,
                                      .store_retry = std::chrono::milliseconds(2)});
  }
  void restart() {
    end();
    receiver.records.clear();
    start_store({.clock = &clock});
    gate.emplace(*local);
    services = {.store = local, .gate = &*gate};
    make();
    load();
    dispatcher->start();
  }
  void load() {
    Result<void> done;
    shard.run_until_done(load_into(&done));
    ASSERT_TRUE(done) << done.error().describe();
  }
  void add(std::string_view lane, std::string_view id) {
    const Name name{std::string(lane), std::string(id)};
    auto turn = begin();
    ASSERT_TRUE(put_new(turn, name, "body", store::milliseconds(clock.wall())));
    ASSERT_TRUE(commit(turn));
    dispatcher->add(name, store::milliseconds(clock.wall()));
  }
  void pass(std::chrono::milliseconds time) {
    clock.ms += time.count();
    dispatcher->wake();
  }
  void settle() {
    until([&] { return dispatcher->idle(); });
  }
  std::vector<Item> items(const store::Place& place) {
    auto turn = begin();
    Result<ItemPage> page = fail(Code::internal);
    shard.run_until_done(read_into(&turn, place, &page));
    return page ? page->items : std::vector<Item>();
  }

  SetClock clock;
  TestReceiver receiver;
  std::optional<turn::OutputGate> gate;
  turn::Services services;
  std::optional<Dispatcher> dispatcher;

 private:
  async::Task<void> load_into(Result<void>* done) { *done = co_await dispatcher->load(0, 1); }
  static async::Task<void> read_into(store::Transaction* turn, store::Place place,
                                     Result<ItemPage>* page) {
    *page = co_await read_items(turn, std::move(place), "", "", 1000);
  }
};

}  // namespace carrel::delivery
