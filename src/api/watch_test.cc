#include "api/watch.h"

#include <gtest/gtest.h>

#include "async/gate.h"
#include "async/pause.h"
#include "net/memory_reply.h"
#include "store/store_test_support.h"

namespace carrel::api {
namespace {

using store::kCarts;

// A client that watches the carts, on a store whose disk can be held up and fail.
class AWatch : public store::StoreFixture {
 protected:
  AWatch() {
    start_store({.files = faults.files()});
    gate = std::make_unique<turn::OutputGate>(*local);
    auto there = local->watch(TenantName("shop"), kCarts, "");
    changes = std::make_unique<Changes>(std::move(*there), *gate, [] { return fine(); });
    stream = stream_events(&shard, changes.get(), "watching", &reply);
    stream.start();
  }
  ~AWatch() override {
    stream = {};
    changes.reset();
    gate.reset();
    end_store();
  }

  static async::Task<Result<void>> fine() { co_return Result<void>(); }
  static async::Task<void> saying(async::Shard* shard, net::MemoryReply* reply, std::string text) {
    while (!reply->body().contains(text)) co_await async::pause(*shard);
  }
  void until_said(std::string text) {
    shard.run_until_done(saying(&shard, &reply, std::move(text)));
  }

  std::unique_ptr<turn::OutputGate> gate;
  std::unique_ptr<Changes> changes;
  net::MemoryReply reply;
  async::Task<void> stream;
};

TEST_F(AWatch, TellsNothingBeforeItIsDurable) {
  ASSERT_TRUE(set("a", "x"));
  until_said(R"({"name":"a","version":1})");
  faults.hold_syncs();
  ASSERT_TRUE(set("b", "x"));
  const std::string before = reply.body();
  EXPECT_TRUE(before.starts_with("event: watching\ndata: {}\n\nevent: put\n"));
  EXPECT_FALSE(before.contains(R"("b")"));
  faults.release_syncs();
  until_said(R"({"name":"b","version":2})");
}

TEST_F(AWatch, NamesWhatIsNotUtf8WithoutLoss) {
  ASSERT_TRUE(set("a\xff", "x"));
  until_said(R"({"name64":"Yf8=","version":1})");
}

TEST_F(AWatch, TellsOfAGapWhenWhatWasAppliedMayNotBeKept) {
  faults.fail_syncs();
  ASSERT_TRUE(set("a", "x"));
  until_said("event: gap\n");
  EXPECT_FALSE(reply.body().contains("event: put"));
  faults.heal();
}

}  // namespace
}  // namespace carrel::api
