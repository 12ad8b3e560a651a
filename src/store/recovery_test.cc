#include <gtest/gtest.h>

#include <thread>

#include "store/database_test_support.h"
#include "store/faulty_files.h"
#include "store/store.h"

namespace carrel::store {
namespace {

using namespace std::chrono_literals;
const Place kCarts{.kind = Kind::value, .store = "carts"};

class Recovery : public DatabaseFixture {
 protected:
  Recovery() { open_store(); }
  ~Recovery() override { close_store(); }

  void open_store() {
    StoreOptions o;
    o.folder = folder;
    o.cache_bytes = 8 << 20;
    o.retry_after = 10ms;
    o.files = faults.files();
    auto opened = Store::open(o);
    ASSERT_TRUE(opened) << opened.error().describe();
    store = std::move(*opened);
    shard = std::make_unique<async::Shard>();
    local = &store->attach(*shard);
  }
  void close_store() {
    if (!store) return;
    store->stop();
    store.reset();
  }
  Result<Version> put(std::string_view name, std::string bytes) {
    Transaction transaction(*local, TenantName("shop"), {});
    (void)transaction.get(kCarts, name);
    if (auto put = transaction.put(kCarts, name, {.bytes = std::move(bytes)}); !put) {
      return std::unexpected(put.error());
    }
    Result<Version> version = kNoVersion;
    shard->run_until_done(commit_into(transaction, &version));
    return version;
  }
  static async::Task<void> commit_into(Transaction& transaction, Result<Version>* version) {
    *version = co_await transaction.commit();
  }
  std::string text(std::string_view name) {
    Transaction transaction(*local, TenantName("shop"), {});
    auto got = transaction.get(kCarts, name);
    if (!got) return "?";
    if (!*got) return std::string(code_name(got->error().code()));
    return **got == nullptr ? "-" : (**got)->bytes;
  }
  // Bounded by the test's time-out.
  template <typename Condition>
  static void until(Condition condition) {
    while (!condition()) std::this_thread::sleep_for(1ms);
  }
  bool well() const { return store->status().health == StoreStatus::Health::well; }
  void until_durable(Version version) {
    local->want_durable(version);
    until([&] { return local->durable() >= version; });
  }

  FaultyFiles faults;
  std::unique_ptr<async::Shard> shard;
  std::unique_ptr<Store> store;
  ShardStore* local = nullptr;
};

TEST_F(Recovery, AFullDiskRefusesCommitsAndPasses) {
  const auto first = put("a", "1");
  ASSERT_TRUE(first);
  until_durable(*first);
  faults.fail_writes(FaultyFiles::Write::no_space);
  EXPECT_EQ(put("a", "2").error().code(), Code::store_full);
  EXPECT_EQ(put("b", "2").error().code(), Code::store_full);
  EXPECT_EQ(text("a"), "1");
  EXPECT_FALSE(well());
  faults.heal();
  until([&] { return well(); });
  until([&] { return put("c", "3").has_value(); });
  EXPECT_EQ(text("a"), "1");
  EXPECT_EQ(text("b"), "-");
  EXPECT_EQ(text("c"), "3");
}

TEST_F(Recovery, NothingBecomesDurableAfterAFailedSync) {
  const auto first = put("a", "1");
  ASSERT_TRUE(first);
  until_durable(*first);
  faults.fail_syncs();
  const auto second = put("a", "2");
  until([&] { return !well(); });
  EXPECT_TRUE(!second || local->durable() < *second);
  EXPECT_EQ(text("a"), "1");  // not what may be lost
  EXPECT_EQ(put("b", "1").error().code(), Code::store_failed);
  faults.heal();
  until([&] { return well(); });
  until([&] { return put("c", "3").has_value(); });
  EXPECT_TRUE(text("a") == "1" || text("a") == "2");
  EXPECT_EQ(text("c"), "3");
}

TEST_F(Recovery, ATurnThatReadBeforeIsNotCommittedAfterIt) {
  const auto first = put("a", "1");
  ASSERT_TRUE(first);
  until_durable(*first);
  Transaction old(*local, TenantName("shop"), {});
  (void)old.get(kCarts, "a");
  ASSERT_TRUE(old.put(kCarts, "a", {.bytes = "old"}));
  faults.fail_writes(FaultyFiles::Write::torn);
  EXPECT_FALSE(put("b", "2"));
  faults.heal();
  Result<Version> version = kNoVersion;
  shard->run_until_done(commit_into(old, &version));
  EXPECT_FALSE(version);
  EXPECT_EQ(text("a"), "1");
}

}  // namespace
}  // namespace carrel::store
