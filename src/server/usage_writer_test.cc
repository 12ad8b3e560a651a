#include "server/usage_writer.h"

#include <gmock/gmock.h>

#include "observe/test_log.h"
#include "store/test_store.h"
#include "tenant/path.h"

namespace carrel::server {
namespace {

using ::testing::ElementsAre;

const store::Place kUsage{.kind = store::Kind::tenant, .store = "usage"};

struct SetClock final : Clock {
  Instant now() const override { return system_clock().now(); }
  WallTime wall() const override { return WallTime(std::chrono::hours(500'000)); }
};

class UsageWriterTest : public store::OpenStore {
 protected:
  UsageWriterTest() : gate(*local), services{.store = local, .gate = &gate} {}

  void turn(const char* module) {
    auto account = meter.open(TenantName("acme"), AppName("shop"), ModuleName(module));
    account.begun();
    account.ended_well();
  }
  std::string record(const std::string& name) {
    store::Transaction transaction(*local, tenant::kNode, {});
    const auto found = run(transaction.read(kUsage, name));
    return found && *found != nullptr ? (*found)->bytes : "";
  }
  // All that was used so far is carried to the store.
  void flush() {
    UsageWriter writer(shard, meter, services, clock, events);
    async::Task<void> running = UsageWriter::run(&writer);
    running.start();
    shard.run_until_done(UsageWriter::stop(&writer));
  }

  SetClock clock;
  observe::TestLog events;
  tenant::Meter meter;
  turn::OutputGate gate;
  turn::Services services;
};

TEST_F(UsageWriterTest, OneDamagedRecordStopsNobodysBill) {
  store::Transaction transaction(*local, tenant::kNode, {});
  ASSERT_TRUE(run(transaction.read(kUsage, "acme:shop:a:00500000")));
  ASSERT_TRUE(transaction.put(kUsage, "acme:shop:a:00500000", {.bytes = "?"}));
  ASSERT_TRUE(commit(transaction));
  turn("a");
  turn("b");
  flush();
  EXPECT_THAT(events.all, ElementsAre("usage_damaged acme:shop:a:00500000"));
  EXPECT_EQ(record("acme:shop:a:00500000"), R"({"turns":1})");
  EXPECT_EQ(record("acme:shop:b:00500000"), R"({"turns":1})");
  turn("a");
  flush();
  EXPECT_EQ(record("acme:shop:a:00500000"), R"({"turns":2})");
  EXPECT_EQ(events.all.size(), 1U);
}

}  // namespace
}  // namespace carrel::server
