// What tests of capabilities share that reach the store: a turn on a store of its own, and the
// waits that a guest's host call would do.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "net/memory_reply.h"
#include "store/store.h"
#include "turn/state.h"
#include "turn/turn.h"
#include "wasi/test_io.h"

namespace carrel::capability::state {

class Lines final : public turn::GuestLog {
 public:
  void line(const turn::ModuleSetup&, std::uint64_t, std::string_view text) override {
    all += std::string(text) + "\n";
  }
  std::string all;
};

// A fixture grants something in SetUp, then calls `open`.
class StoredTurn : public ::testing::Test {
 protected:
  StoredTurn() {
    std::string pattern = std::filesystem::temp_directory_path() / "carrel-turn-XXXXXX";
    folder = mkdtemp(pattern.data());
    setup.tenant = TenantName("shop");
  }
  ~StoredTurn() override { std::filesystem::remove_all(folder); }
  void TearDown() override { close(); }

  // The guest's tree: made when a turn begins, gone before it commits.
  virtual void mount_all() = 0;
  virtual void unmount_all() = 0;

  void open() {
    store = std::move(*store::Store::open({.folder = folder / "store", .looks = looks}));
    services.store = &store->attach(shard);
    gate.emplace(*services.store);
    services.gate = &*gate;
    begin();
  }
  void begin() {
    state.emplace(services, setup.tenant, store::TransactionLimits{.quota = quota});
    turn.state = &*state;
    io = wasi::testing::TestIo();
    io.test_clock.time = system_clock().wall().time_since_epoch();
    mount_all();
  }
  void close() {
    unmount_all();
    state.reset();
    store->stop();
    gate.reset();
    store.reset();
  }
  // As the runtime does it. The next turn has begun.
  Result<void> commit() {
    unmount_all();
    Result<void> done;
    shard.run_until_done(commit_into(&*state, &done));
    begin();
    return done;
  }

  // Waits as a turn would, until an operation has its answer.
  template <typename Operation>
  auto ask(Operation operation) {
    for (int i = 0; i < 100; ++i) {
      auto answer = operation();
      if (answer || answer.error() != wasi::Errno::again) return answer;
      ++waits;
      shard.run_until_done(finish(std::move(io.waiting)));
    }
    return decltype(operation())(wasi::fail(wasi::Errno::again));
  }
  static std::string errno_text(wasi::Errno error) {
    return "errno " + std::to_string(static_cast<int>(error));
  }

  std::uint64_t quota = UINT64_MAX;
  store::Reach looks = store::Reach::memory;
  std::filesystem::path folder;
  async::Shard shard;
  std::unique_ptr<store::Store> store;
  std::optional<turn::OutputGate> gate;
  turn::Services services;
  turn::ModuleSetup setup;
  turn::Event event;
  net::MemoryReply reply;
  Lines log;
  turn::Turn turn{.module = setup, .event = event, .reply = reply, .log = log};
  std::optional<turn::State> state;
  wasi::testing::TestIo io;
  int waits = 0;

 private:
  static async::Task<void> finish(async::Task<void> waiting) { co_await std::move(waiting); }
  static async::Task<void> commit_into(turn::State* state, Result<void>* done) {
    for (auto& step : state->before_commit) {
      *done = co_await step();
      if (!*done) co_return;
    }
    auto version = co_await state->transaction.commit();
    if (!version) *done = std::unexpected(version.error());
  }
};

}  // namespace carrel::capability::state
