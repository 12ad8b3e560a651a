#include "turn/output_gate.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <optional>

namespace carrel::turn {
namespace {

using store::Version;

// A coroutine that runs at once, until it waits; destroyed with its owner.
struct Running {
  struct promise_type {
    Running get_return_object() {
      return Running(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  explicit Running(std::coroutine_handle<promise_type> handle) : handle(handle) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { handle.destroy(); }
  std::coroutine_handle<promise_type> handle;
};

using Answer = std::optional<Result<void>>;

Running wait(OutputGate& gate, Version needed, Answer& answer) {
  answer = co_await gate.wait(needed);
}

Running wait_then_end(OutputGate& gate, Version needed, std::unique_ptr<Running>& other) {
  auto done = co_await gate.wait(needed);
  if (done) other.reset();
}

class OutputGateTest : public testing::Test {
 protected:
  OutputGateTest() {
    std::string name = testing::TempDir() + "carrel-gate-XXXXXX";
    folder = mkdtemp(name.data());
    store = std::move(*store::Store::open({.folder = folder / "store"}));
    gate.emplace(store->attach(shard));
  }
  ~OutputGateTest() override {
    store->stop();
    gate.reset();
    store.reset();
    std::filesystem::remove_all(folder);
  }

  std::filesystem::path folder;
  async::Shard shard;
  std::unique_ptr<store::Store> store;
  std::optional<OutputGate> gate;
};

TEST_F(OutputGateTest, OpensForEachWhenItsVersionIsDurable) {
  Answer early, late, now;
  const Running two = wait(*gate, Version{20}, late), one = wait(*gate, Version{10}, early);
  gate->on_durable(Version{9});
  EXPECT_FALSE(early);
  gate->on_durable(Version{10});
  ASSERT_TRUE(early);
  EXPECT_TRUE(*early);
  EXPECT_FALSE(late);
  gate->on_durable(Version{30});
  ASSERT_TRUE(late);
  EXPECT_TRUE(*late);
  const Running third = wait(*gate, Version{30}, now);
  EXPECT_TRUE(now && *now) << "it is so already";
}

TEST_F(OutputGateTest, AFailureTellsAllWhoWaitAndWhoComesAfter) {
  Answer waiting, after, durable;
  gate->on_durable(Version{5});
  const Running one = wait(*gate, Version{6}, waiting);
  gate->on_failure(Error(Code::store_failed));
  ASSERT_TRUE(waiting);
  EXPECT_EQ(waiting->error().code(), Code::commit_unknown);
  const Running two = wait(*gate, Version{6}, after);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->error().code(), Code::commit_unknown);
  const Running three = wait(*gate, Version{5}, durable);
  EXPECT_TRUE(durable && *durable) << "what was durable stays so";
}

TEST_F(OutputGateTest, WhatWasLostStaysUnknownAfterTheStoreIsOpenAgain) {
  gate->on_durable(Version{5});
  gate->on_failure(Error(Code::store_failed));
  gate->on_reopened(Version{9});
  EXPECT_TRUE(gate->open_for(Version{5}));
  for (const auto lost : {Version{6}, Version{8}}) {
    EXPECT_FALSE(gate->open_for(lost));
    Answer answer;
    const Running one = wait(*gate, lost, answer);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error().code(), Code::commit_unknown);
  }
  EXPECT_TRUE(gate->open_for(Version{9}));
  gate->on_durable(Version{10});
  EXPECT_TRUE(gate->open_for(Version{10}));
  EXPECT_FALSE(gate->open_for(Version{7}));
}

TEST_F(OutputGateTest, WhoIsReleasedMayEndOthersThatWait) {
  Answer answer;
  std::unique_ptr<Running> other;
  const Running one = wait_then_end(*gate, Version{10}, other);
  other.reset(new Running(wait(*gate, Version{10}, answer)));
  gate->on_durable(Version{10});
  EXPECT_FALSE(other);
  EXPECT_FALSE(answer);
}

}  // namespace
}  // namespace carrel::turn
