#include "store/sweeper.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "store/store_test_support.h"
#include "store/usage_table.h"

namespace carrel::store {
namespace {

WallTime at(std::int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

struct SetClock final : Clock {
  Instant now() const override { return system_clock().now(); }
  WallTime wall() const override { return at(ms); }
  std::atomic<std::int64_t> ms = 1000;
};

class ASweptStore : public StoreFixture {
 protected:
  ASweptStore() { start_store({.sweep_every = std::chrono::milliseconds(1), .clock = &clock}); }
  ~ASweptStore() override { end_store(); }

  std::uint64_t names() const { return store->usage(kShop).names; }
  SetClock clock;
};

TEST_F(ASweptStore, GivesBackTheRoomOfRecordsWhoseTimeHasComeAndKeepsTheOthers) {
  ASSERT_TRUE(set("for ever", "x"));
  ASSERT_TRUE(set("later", "x", 5000));
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(set(name(i), "x", 2000));
  EXPECT_EQ(names(), 302U);
  clock.ms = 2000;
  until([&] { return names() == 2; });
  clock.ms = 5000;
  until([&] { return names() == 1; });
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
