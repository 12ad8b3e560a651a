#include "api/watch.h"

#include <gtest/gtest.h>

#include "async/gate.h"
#include "async/pause.h"
#include "net/memory_reply.h"
#include "store/database_test_support.h"
#include "store/faulty_files.h"

namespace carrel::api {
namespace {

const store::Place kCarts{.kind = store::Kind::value, .store = "carts"};

// A client that watches the carts, on a store whose disk can be held up and fail.
class AWatch : public store::DatabaseFixture {
 protected:
  AWatch() {
    store::StoreOptions options;
    options.folder = folder;
    options.cache_bytes = 8 << 20;
    options.retry_after = std::chrono::milliseconds(2);
    options.files = faults.files();
    store = std::move(*store::Store::open(options));
    local = &store->attach(shard);
    gate = std::make_unique<turn::OutputGate>(*local);
    stream = watch({.store = local, .gate = gate.get()}, &reply);
    stream.start();
  }
  ~AWatch() override {
    stream = {};
    gate.reset();
    store->stop();
    store.reset();
  }

  static async::Task<void> watch(turn::Services services, net::MemoryReply* reply) {
    (void)co_await stream_changes(services, TenantName("shop"), kCarts, "", reply);
  }
  static async::Task<void> commit(store::Transaction* transaction) {
    (void)co_await transaction->commit();
  }
  void put(std::string_view name) {
    store::Transaction transaction(*local, TenantName("shop"), {});
    ASSERT_TRUE(transaction.put(kCarts, name, {.bytes = "x"}));
    shard.run_until_done(commit(&transaction));
  }
  static async::Task<void> saying(async::Shard* shard, net::MemoryReply* reply, std::string text) {
    while (!reply->body().contains(text)) co_await async::pause(*shard);
  }
  void until(std::string text) { shard.run_until_done(saying(&shard, &reply, std::move(text))); }

  store::FaultyFiles faults;
  async::Shard shard;
  std::unique_ptr<store::Store> store;
  store::ShardStore* local = nullptr;
  std::unique_ptr<turn::OutputGate> gate;
  net::MemoryReply reply;
  async::Task<void> stream;
};

TEST_F(AWatch, TellsNothingBeforeItIsDurable) {
  put("a");
  until(R"({"name":"a","version":1})");
  faults.hold_syncs();
  put("b");
  const std::string before = reply.body();
  EXPECT_TRUE(before.starts_with("event: watching\ndata: {}\n\nevent: put\n"));
  EXPECT_FALSE(before.contains(R"("b")"));
  faults.release_syncs();
  until(R"({"name":"b","version":2})");
}

TEST_F(AWatch, TellsOfAGapWhenWhatWasAppliedMayNotBeKept) {
  faults.fail_syncs();
  put("a");
  until("event: gap\n");
  EXPECT_FALSE(reply.body().contains("event: put"));
  faults.heal();
}

}  // namespace
}  // namespace carrel::api
