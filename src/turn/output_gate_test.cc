#include "turn/output_gate.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <optional>

namespace carrel::turn {
namespace {

using store::Version;

// Runs at once, until it waits; destroyed with its owner.
async::Task<void> begun(async::Task<void> work) {
  work.start();
  return work;
}

using Answer = std::optional<Result<void>>;

async::Task<void> waiting(OutputGate* gate, Version needed, Answer* answer) {
  *answer = co_await gate->wait(needed);
}
async::Task<void> wait(OutputGate& gate, Version needed, Answer& answer) {
  return begun(waiting(&gate, needed, &answer));
}

async::Task<void> wait_then_end(OutputGate* gate, Version needed, async::Task<void>* other) {
  auto done = co_await gate->wait(needed);
  if (done) *other = {};
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
  const async::Task<void> two = wait(*gate, Version{20}, late),
                          one = wait(*gate, Version{10}, early);
  gate->on_durable(Version{9});
  EXPECT_FALSE(early);
  gate->on_durable(Version{10});
  ASSERT_TRUE(early);
  EXPECT_TRUE(*early);
  EXPECT_FALSE(late);
  gate->on_durable(Version{30});
  ASSERT_TRUE(late);
  EXPECT_TRUE(*late);
  const async::Task<void> third = wait(*gate, Version{30}, now);
  EXPECT_TRUE(now && *now) << "it is so already";
}

TEST_F(OutputGateTest, AFailureTellsAllWhoWaitAndWhoComesAfter) {
  Answer waiting, after, durable;
  gate->on_durable(Version{5});
  const async::Task<void> one = wait(*gate, Version{6}, waiting);
  gate->on_failure(Error(Code::store_failed));
  ASSERT_TRUE(waiting);
  EXPECT_EQ(waiting->error().code(), Code::commit_unknown);
  const async::Task<void> two = wait(*gate, Version{6}, after);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->error().code(), Code::commit_unknown);
  const async::Task<void> three = wait(*gate, Version{5}, durable);
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
    const async::Task<void> one = wait(*gate, lost, answer);
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
  async::Task<void> other;
  const async::Task<void> one = begun(wait_then_end(&*gate, Version{10}, &other));
  other = wait(*gate, Version{10}, answer);
  gate->on_durable(Version{10});
  EXPECT_FALSE(other);
  EXPECT_FALSE(answer);
}

}  // namespace
}  // namespace carrel::turn
