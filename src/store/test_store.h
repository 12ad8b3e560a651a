// A store in a folder of its own, with a shard that reaches it, for tests of what lies above.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "async/shard.h"
#include "store/database_test_support.h"
#include "store/store.h"

namespace carrel::store {

class OpenStore : public DatabaseFixture {
 protected:
  OpenStore() {
    StoreOptions how;
    how.folder = folder;
    how.cache_bytes = 8 << 20;
    store = std::move(*Store::open(how));
    local = &store->attach(shard);
  }
  ~OpenStore() override {
    store->stop();
    store.reset();
  }

  // Runs a task on the shard, to its result.
  template <typename T>
  T run(async::Task<T> task) {
    std::optional<T> out;
    shard.run_until_done(into(std::move(task), &out));
    return std::move(*out);
  }
  Result<Version> commit(Transaction& transaction) { return run(transaction.commit()); }

  async::Shard shard;
  std::unique_ptr<Store> store;
  ShardStore* local = nullptr;

 private:
  template <typename T>
  static async::Task<void> into(async::Task<T> task, std::optional<T>* out) {
    out->emplace(co_await std::move(task));
  }
};

}  // namespace carrel::store
