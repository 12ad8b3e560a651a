#include "runtime/stateful_turn.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "net/memory_reply.h"
#include "store/faulty_files.h"
#include "turn/interceptor.h"
#include "turn/kept_body.h"
#include "wasm/test_room.h"

namespace carrel::runtime {
namespace {

namespace fs = std::filesystem;
const store::Place kStock{.kind = store::Kind::value, .store = "stock"};

// A guest that is a function of the test: it works on the transaction and says what it did.
using Guest = std::function<turn::Outcome(turn::Turn& turn, int run)>;

class ScriptedAbi final : public abi::Abi {
 public:
  std::string_view name() const override { return "scripted"; }
  std::string_view description() const override { return ""; }
  bool speaks(const abi::Shape&) const override { return true; }
  std::span<const wasm::HostFunction> imports() const override { return {}; }
  async::Task<turn::Outcome> run(async::Shard&, async::RunAccount&, const wasm::Prepared&,
                                 turn::Turn& turn) const override {
    co_return guest(turn, ++runs);
  }
  Guest guest;
  mutable int runs = 0;
};

class NoLog final : public turn::GuestLog {
  void line(const turn::ModuleSetup&, std::uint64_t, std::string_view) override {}
};

std::string read(turn::State& state, std::string_view name) {
  auto got = state.transaction.get(kStock, name);
  if (!got || !*got) return "?";
  return **got == nullptr ? "-" : (**got)->bytes;
}

void write(turn::State& state, std::string_view name, std::string text) {
  (void)state.transaction.get(kStock, name);
  ASSERT_TRUE(state.transaction.put(kStock, name, {.bytes = std::move(text)}));
}

turn::Outcome says(std::string_view text) {
  turn::Outcome outcome;
  outcome.held.emplace();
  EXPECT_TRUE(outcome.held->body.append(text));
  return outcome;
}

class StatefulTurn : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "carrel-turn-XXXXXX";
    folder = mkdtemp(pattern.data());
    store = std::move(*store::Store::open({.folder = folder / "store", .files = faults.files()}));
    services.store = &store->attach(room.shard);
    gate.emplace(*services.store);
    services.gate = &*gate;
    program->abi = &abi;
    setup.tenant = TenantName("shop");
    setup.grants.kv.push_back({.store = "stock", .read = true, .write = true});
  }
  void TearDown() override {
    store->stop();
    gate.reset();
    store.reset();
    fs::remove_all(folder);
  }

  turn::Outcome run(Guest guest, std::string body = {}, turn::Interceptor* interceptor = nullptr) {
    abi.guest = std::move(guest);
    abi.runs = 0;
    turn::Outcome outcome;
    room.shard.run_until_done(run_into(*this, std::move(body), interceptor, &outcome));
    return outcome;
  }
  static async::Task<void> run_into(StatefulTurn& self, std::string body,
                                    turn::Interceptor* interceptor, turn::Outcome* outcome) {
    async::MemorySource source(std::move(body));
    turn::Event event{.body = &source};
    self.reply = net::MemoryReply();
    turn::Turn turn{.id = 1,
                    .module = self.setup,
                    .event = event,
                    .reply = self.reply,
                    .log = self.log,
                    .interceptor = interceptor};
    auto ticket = self.admission.try_enter(self.setup.tenant);
    *outcome = co_await run_with_state(self.room.shard, self.services, self.instances,
                                       std::move(*ticket), self.program, self.prepared, turn);
  }
  std::string kept(std::string_view name) {
    store::Transaction transaction(*services.store, setup.tenant, {});
    auto got = transaction.get(kStock, name);
    return !got || !*got ? "?" : **got == nullptr ? "-" : (**got)->bytes;
  }
  // Another turn, committed while the first one's guest runs; its shard's mail is read later.
  void meanwhile(std::string_view name, std::string text) {
    async::Shard& other = *others.emplace_back(std::make_unique<async::Shard>(1));
    store::ShardStore& there = store->attach(other);
    store::Transaction transaction(there, setup.tenant, {});
    (void)transaction.get(kStock, name);
    ASSERT_TRUE(transaction.put(kStock, name, {.bytes = std::move(text)}));
    Result<store::Version> version = store::kNoVersion;
    other.run_until_done(commit_into(transaction, &version));
    ASSERT_TRUE(version) << version.error().message();
  }
  static async::Task<void> commit_into(store::Transaction& transaction,
                                       Result<store::Version>* version) {
    *version = co_await transaction.commit();
  }

  fs::path folder;
  store::FaultyFiles faults;
  wasm::testing::TestRoom room;
  KeptInstances instances{room.shard, 8};
  std::shared_ptr<const wasm::Prepared> prepared = room.prepare("(module)");
  Admission admission{room.shard, {}};
  std::unique_ptr<store::Store> store;
  std::optional<turn::OutputGate> gate;
  turn::Services services;
  ScriptedAbi abi;
  std::shared_ptr<Program> program = std::make_shared<Program>();
  turn::ModuleSetup setup;
  NoLog log;
  net::MemoryReply reply;
  std::vector<std::unique_ptr<async::Shard>> others;
};

TEST_F(StatefulTurn, KeepsWhatItDidAndThenSaysSo) {
  const auto outcome = run([](turn::Turn& turn, int) {
    write(*turn.state, "chairs", "7");
    EXPECT_FALSE(turn.reply.started());
    return says("seven");
  });
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(reply.body(), "seven");
  EXPECT_EQ(kept("chairs"), "7");
}

TEST_F(StatefulTurn, LeavesNothingWhenTheGuestFails) {
  const auto outcome = run([](turn::Turn& turn, int) {
    write(*turn.state, "chairs", "7");
    return turn::Outcome{.error = Error(Code::guest_trapped)};
  });
  EXPECT_EQ(outcome.error->code(), Code::guest_trapped);
  EXPECT_FALSE(reply.started());
  EXPECT_EQ(kept("chairs"), "-");
}

TEST_F(StatefulTurn, SaysHowItFailedOnceWhatItSawIsDurable) {
  faults.hold_syncs();
  meanwhile("chairs", "5");
  abi.guest = [](turn::Turn& turn, int) {
    EXPECT_EQ(read(*turn.state, "chairs"), "5");
    return turn::Outcome{.error = Error(Code::guest_trapped)};
  };
  turn::Outcome outcome;
  auto running = run_into(*this, "", nullptr, &outcome);
  running.start();
  for (int i = 0; i < 10; ++i)
    room.shard.run_until_done(room.shard.sleep_for(std::chrono::milliseconds(1)));
  EXPECT_EQ(abi.runs, 1);
  EXPECT_FALSE(outcome.error);
  faults.release_syncs();
  while (!outcome.error)
    room.shard.run_until_done(room.shard.sleep_for(std::chrono::milliseconds(1)));
  EXPECT_EQ(outcome.error->code(), Code::guest_trapped);
}

TEST_F(StatefulTurn, LeavesNothingOverTheQuota) {
  setup.storage = 10;
  const auto outcome = run([](turn::Turn& turn, int) {
    (void)turn.state->transaction.get(kStock, "chairs");
    EXPECT_FALSE(turn.state->transaction.put(kStock, "chairs", {.bytes = std::string(100, 'x')}));
    return turn::Outcome{.error = Error(Code::guest_exited)};
  });
  EXPECT_TRUE(outcome.error);
  EXPECT_EQ(kept("chairs"), "-");
}

TEST_F(StatefulTurn, RunsAgainFromTheFirstByteWhenItLost) {
  const auto outcome = run(
      [this](turn::Turn& turn, int nth) {
        std::string body(10, '\0');
        body.resize(turn.event.body->read(std::as_writable_bytes(std::span(body))));
        const std::string before = read(*turn.state, "chairs");
        if (nth == 1) meanwhile("chairs", "5");
        write(*turn.state, "chairs", before + body);
        return says(before);
      },
      "!");
  EXPECT_FALSE(outcome.error) << outcome.error->message();
  EXPECT_EQ(abi.runs, 2);
  EXPECT_EQ(reply.body(), "5");
  EXPECT_EQ(kept("chairs"), "5!");
}

TEST_F(StatefulTurn, IsNotRunAgainWhenItsBodyIsNotKept) {
  const auto outcome = run(
      [this](turn::Turn& turn, int nth) {
        std::vector<std::byte> piece(100'000);
        while (turn.event.body->read(piece) > 0) {
        }
        const std::string before = read(*turn.state, "chairs");
        if (nth == 1) meanwhile("chairs", "5");
        write(*turn.state, "chairs", before + "!");
        return says(before);
      },
      std::string(turn::kMostKept + 1, 'x'));
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code(), Code::conflict);
  EXPECT_EQ(abi.runs, 1);
  EXPECT_EQ(kept("chairs"), "5");
}

TEST_F(StatefulTurn, ACounterAtItsFloorEndsTheTurnAfterASecondLook) {
  const auto outcome = run([](turn::Turn& turn, int) {
    EXPECT_TRUE(turn.state->transaction.add("left", "chairs", -1, 0));
    write(*turn.state, "order", "1");
    return says("sold");
  });
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code(), Code::below_floor);
  EXPECT_EQ(abi.runs, 2);
  EXPECT_EQ(kept("order"), "-");
  EXPECT_FALSE(reply.started());
}

// The gate hears of the disk only from the test.
class HeldTurn : public StatefulTurn {
 protected:
  void SetUp() override {
    StatefulTurn::SetUp();
    services.store->set_listener(nullptr);
  }
  void TearDown() override {
    held = {};
    StatefulTurn::TearDown();
  }
  // A turn that is run until the gate holds it.
  void begin(Guest guest) {
    abi.guest = std::move(guest);
    held = run_into(*this, {}, nullptr, &outcome);
    held.start();
    // A later commit's verdict comes after the turn's.
    store::Transaction later(*services.store, setup.tenant, {});
    (void)later.get(kStock, "later");
    ASSERT_TRUE(later.put(kStock, "later", {.bytes = "1"}));
    Result<store::Version> version = store::kNoVersion;
    room.shard.run_until_done(commit_into(later, &version));
    ASSERT_TRUE(version);
    last = *version;
    ASSERT_EQ(abi.runs, 1);
    ASSERT_FALSE(held.done());
    ASSERT_FALSE(reply.started());
  }

  turn::Outcome outcome;
  async::Task<void> held;
  store::Version last{};
};

TEST_F(HeldTurn, SaysNothingUntilWhatItDidIsDurable) {
  begin([](turn::Turn& turn, int) {
    write(*turn.state, "chairs", "7");
    return says("seven");
  });
  EXPECT_EQ(kept("chairs"), "7") << "others see it before it is durable";
  gate->on_durable(last);
  EXPECT_TRUE(held.done());
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(reply.body(), "seven");
}

TEST_F(HeldTurn, ThatOnlyReadsWaitsForWhatItRead) {
  meanwhile("chairs", "7");
  begin([](turn::Turn& turn, int) { return says(read(*turn.state, "chairs")); });
  gate->on_durable(last);
  EXPECT_TRUE(held.done());
  EXPECT_EQ(reply.body(), "7");
}

TEST_F(HeldTurn, SaysThatNobodyKnowsWhenTheStoreFails) {
  begin([](turn::Turn& turn, int) {
    write(*turn.state, "chairs", "7");
    return says("seven");
  });
  gate->on_failure(Error(Code::store_failed));
  EXPECT_TRUE(held.done());
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code(), Code::commit_unknown);
  EXPECT_EQ(http_status(outcome.error->code()), 503);
  EXPECT_FALSE(reply.started());
}

TEST_F(HeldTurn, WithoutSyncIsNotHeld) {
  setup.sync = store::Sync::interval;
  const auto at_once = run([](turn::Turn& turn, int) {
    write(*turn.state, "chairs", "7");
    return says("seven");
  });
  EXPECT_FALSE(at_once.error);
  EXPECT_EQ(reply.body(), "seven");
}

// Gives the reply of the first turn again.
class Repeating final : public turn::Interceptor {
 public:
  async::Task<Result<std::optional<turn::HeldReply>>> before(turn::State& state) override {
    const std::string stored = read(state, "reply");
    if (stored == "-") co_return std::optional<turn::HeldReply>();
    turn::HeldReply reply;
    (void)reply.body.append(stored);
    co_return std::optional(std::move(reply));
  }
  async::Task<Result<void>> after(turn::State& state, const turn::HeldReply& reply) override {
    write(state, "reply", std::string(reply.body.memory()));
    co_return Result<void>();
  }
};

TEST_F(StatefulTurn, AnInterceptorAddsToTheCommitAndMayStandForTheGuest) {
  Repeating interceptor;
  const Guest guest = [](turn::Turn& turn, int) {
    write(*turn.state, "chairs", read(*turn.state, "chairs") + "x");
    return says("done");
  };
  EXPECT_FALSE(run(guest, {}, &interceptor).error);
  EXPECT_FALSE(run(guest, {}, &interceptor).error);
  EXPECT_EQ(abi.runs, 0);
  EXPECT_EQ(reply.body(), "done");
  EXPECT_EQ(kept("chairs"), "-x");
}

}  // namespace
}  // namespace carrel::runtime
