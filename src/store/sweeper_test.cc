#include "store/sweeper.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "store/database_test_support.h"
#include "store/store.h"
#include "store/usage_table.h"

namespace carrel::store {
namespace {

const Place kCarts{.kind = Kind::value, .store = "carts"};
WallTime at(std::int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

struct SetClock final : Clock {
  Instant now() const override { return system_clock().now(); }
  WallTime wall() const override { return at(ms); }
  std::atomic<std::int64_t> ms = 1000;
};

class ASweptStore : public DatabaseFixture {
 protected:
  ASweptStore() {
    StoreOptions o;
    o.folder = folder;
    o.cache_bytes = 8 << 20;
    o.clock = &clock;
    o.sweep_every = std::chrono::milliseconds(1);
    store = std::move(*Store::open(o));
    local = &store->attach(shard);
  }
  ~ASweptStore() override {
    store->stop();
    store.reset();
  }
  static async::Task<void> set(ShardStore* local, std::string name, std::uint64_t expires) {
    Transaction turn(*local, TenantName("shop"), {});
    EXPECT_TRUE(turn.put(kCarts, name, {.bytes = "x", .expires = expires}));
    EXPECT_TRUE(co_await turn.commit());
  }
  void set(std::string name, std::uint64_t expires) {
    shard.run_until_done(set(local, std::move(name), expires));
  }
  void until_names(std::uint64_t count) {
    for (int i = 0; i < 10'000 && store->usage(TenantName("shop")).names != count; ++i) {
      shard.run_until_done(shard.sleep_for(std::chrono::milliseconds(1)));
    }
    EXPECT_EQ(store->usage(TenantName("shop")).names, count);
  }
  SetClock clock;
  async::Shard shard;
  std::unique_ptr<Store> store;
  ShardStore* local = nullptr;
};

TEST_F(ASweptStore, GivesBackTheRoomOfRecordsWhoseTimeHasComeAndKeepsTheOthers) {
  set("for ever", 0);
  set("later", 5000);
  for (int i = 0; i < 300; ++i) set(name(i), 2000);
  EXPECT_EQ(store->usage(TenantName("shop")).names, 302U);
  clock.ms = 2000;
  until_names(2);
  clock.ms = 5000;
  until_names(1);
}

struct Quiet final : CommitObserver {
  void on_applied(std::shared_ptr<const Snapshot>) override {}
  void on_durable(Version) override {}
  void on_failed(Error, std::shared_ptr<const Snapshot>) override {}
};
struct Renewal final : CommitRequest {
  using CommitRequest::CommitRequest;
  void decided(Verdict verdict) override { done.set_value(!verdict.refused); }
  std::promise<bool> done;
};

TEST_F(DatabaseFixture, ASweepLeavesARecordThatWasRenewedAfterItWasFound) {
  open();
  const Key record{"shop", Kind::value, "s", "k"};
  const std::string entry = encode_count(1000) + "v\1sk";
  put(encode(record), encode(Record{.bytes = "old", .expires = 1000}));
  put(encode(Key{"shop", Kind::expiry, "", entry}), "");
  TicketTable tickets;
  UsageTable usage;
  Quiet quiet;
  Committer committer(database, tickets, usage, quiet, kNoVersion, {});
  const Snapshot before{.version = kNoVersion, .view = database->view()};

  Changes renewed;
  renewed.tenant = TenantName("shop");
  renewed.changes.push_back({.key = encode(record),
                             .hash = hash_of_name(record),
                             .folders = folders_above(record),
                             .store = hash_of_store(record),
                             .record = encode(Record{.bytes = "new", .expires = 9000}),
                             .expires = 9000});
  const auto renewal = std::make_shared<Renewal>(renewed);
  committer.submit(renewal);
  ASSERT_TRUE(renewal->done.get_future().get());

  Sweeper sweeper;
  EXPECT_EQ(*sweeper.step(committer, before, at(2000)), 0U);
  const Snapshot after{.version = Version{1}, .view = database->view()};
  EXPECT_EQ(*sweeper.step(committer, after, at(2000)), 0U);
  EXPECT_TRUE(get(encode(record)));
  EXPECT_EQ(*sweeper.step(committer, after, at(9000)), 1U);
  EXPECT_FALSE(get(encode(record)));
}

}  // namespace
}  // namespace carrel::store
