// A store in a folder of its own with one shard, and the turns of one tenant on it, for tests.
#pragma once

#include "async/shard.h"
#include "store/database_test_support.h"
#include "store/faulty_files.h"
#include "store/store.h"

namespace carrel::store {

inline const Place kCarts{.kind = Kind::value, .store = "carts"};
inline const TenantName kShop{"shop"};

// Who has members that the store uses ends it before they go.
class StoreFixture : public DatabaseFixture {
 protected:
  ~StoreFixture() override { end_store(); }

  // Its disk fails when `faults` does, and is tried again at once.
  void start_store(StoreOptions with = {}) {
    with.folder = folder;
    with.cache_bytes = 8 << 20;
    with.retry_after = std::chrono::milliseconds(2);
    with.files = faults.files();
    auto opened = Store::open(with);
    ASSERT_TRUE(opened) << opened.error().describe();
    store = std::move(*opened);
    local = &store->attach(shard);
  }
  void end_store() {
    if (store) store->stop();
    store.reset();
    local = nullptr;
  }

  Transaction begin(TransactionLimits limits = {}) { return {*local, kShop, limits}; }
  Result<Version> commit(Transaction& transaction) {
    Result<Version> out = kNoVersion;
    shard.run_until_done(commit_into(transaction, out));
    return out;
  }
  Result<Version> set(std::string_view name, std::string_view value, std::uint64_t expires = 0) {
    auto turn = begin();
    auto put = turn.put(kCarts, name, {.bytes = std::string(value), .expires = expires});
    if (!put) return std::unexpected(std::move(put).error());
    return commit(turn);
  }
  // "-": there is none. "?" and a code's name: it cannot be read.
  std::string text(Transaction& transaction, std::string_view name) {
    auto got = transaction.get(kCarts, name);
    if (!got) {
      shard.run_until_done(transaction.fetch(kCarts, std::string(name)));
      got = transaction.get(kCarts, name);
    }
    if (!got) return "?";
    if (!*got) return "?" + std::string(code_name(got->error().code()));
    return **got == nullptr ? "-" : (**got)->bytes;
  }
  std::string text(std::string_view name) {
    auto turn = begin();
    return text(turn, name);
  }

  // Meanwhile the shard runs. Bounded by the test's time-out.
  template <typename Condition>
  void until(Condition condition) {
    while (!condition()) shard.run_until_done(shard.sleep_for(std::chrono::milliseconds(1)));
  }

  FaultyFiles faults;
  async::Shard shard;
  std::unique_ptr<Store> store;
  ShardStore* local = nullptr;

 private:
  static async::Task<void> commit_into(Transaction& transaction, Result<Version>& out) {
    out = co_await transaction.commit();
  }
};

}  // namespace carrel::store
