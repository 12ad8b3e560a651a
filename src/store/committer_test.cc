#include "store/committer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <thread>

#include "store/database_test_support.h"
#include "store/faulty_files.h"
#include "store/record.h"
#include "store/usage_table.h"

namespace carrel::store {
namespace {

// All that the committer says, in the order in which it says it.
class Diary final : public CommitObserver {
 public:
  void on_applied(std::shared_ptr<const Snapshot> state) override {
    write("applied", static_cast<std::uint64_t>(state->version));
  }
  void on_durable(Version version) override {
    write("durable", static_cast<std::uint64_t>(version));
  }
  void on_failed(Error cause, std::shared_ptr<const Snapshot> durable) override {
    write("failed " + std::string(code_name(cause.code())),
          static_cast<std::uint64_t>(durable->version));
  }
  void decided(std::uint64_t commit, const Verdict& verdict) {
    write(
        verdict.refused ? "refused " + std::string(code_name(verdict.refused->code())) : "accepted",
        commit);
  }
  void write(std::string what, std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(what + " " + std::to_string(number));
    changed_.notify_all();
  }
  void wait_for(const std::string& line) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      return std::ranges::find(lines_, line) != lines_.end();
    })) << line;
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  // Where a line is; a day that never comes, if nowhere.
  std::size_t place_of(const std::string& line) const {
    const auto all = lines();
    return static_cast<std::size_t>(std::ranges::find(all, line) - all.begin());
  }
  std::size_t count(std::string_view beginning) const {
    const auto all = lines();
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [&](const std::string& line) { return line.starts_with(beginning); }));
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

class ACommitter : public DatabaseFixture {
 protected:
  struct Request final : CommitRequest {
    Request(Changes changes, std::uint64_t n, ACommitter& of)
        : CommitRequest(std::move(changes)), number(n), test(of) {}
    void decided(Verdict verdict) override {
      if (test.on_decided) test.on_decided(number, verdict);
      test.diary.decided(number, verdict);
    }
    std::uint64_t number;
    ACommitter& test;
  };

  void start(CommitterOptions o = {.interval = std::chrono::hours(1)}) {
    options.files = faults.files();
    open();
    committer.emplace(database, tickets, usage, diary, kNoVersion, std::move(o));
  }
  ~ACommitter() override {
    faults.release_syncs();
    if (committer) committer->stop();
    committer.reset();
  }

  std::uint64_t submit(std::string_view name, Sync sync = Sync::always, std::size_t bytes = 100) {
    const Key key{"shop", Kind::value, "s", name};
    Changes changes;
    changes.tenant = TenantName("shop");
    changes.sync = sync;
    changes.bytes = bytes;
    changes.snapshot = snapshot;
    changes.changes.push_back({.key = encode(key),
                               .hash = hash_of_name(key),
                               .store = hash_of_store(key),
                               .record = encode(Record{.bytes = "x"})});
    committer->submit(std::make_shared<Request>(std::move(changes), ++submitted, *this));
    return submitted;
  }
  static std::string line(std::string_view what, std::uint64_t number) {
    return std::string(what) + " " + std::to_string(number);
  }
  // The committing thread waits in the verdict of its next commit, so that more are queued.
  void hold_next() {
    on_decided = [this, first = submitted + 1](std::uint64_t number, const Verdict&) {
      if (number != first) return;
      diary.write("held", number);
      held.get_future().wait();
    };
  }

  FaultyFiles faults;
  TicketTable tickets;
  UsageTable usage;
  Diary diary;
  std::function<void(std::uint64_t, const Verdict&)> on_decided;
  std::promise<void> held;
  std::uint64_t submitted = 0;
  Version snapshot{};
  std::optional<Committer> committer;
};

TEST_F(ACommitter, PublishesABatchBeforeItsVerdictsAndIsDurableAfterTheSync) {
  start();
  std::vector<bool> seen;
  on_decided = [&](std::uint64_t number, const Verdict& verdict) {
    seen.push_back(diary.place_of(line("applied", static_cast<std::uint64_t>(verdict.version))) <
                   diary.lines().size());
    EXPECT_EQ(diary.count(line("accepted", number)), 0U);
  };
  for (int i = 0; i < 50; ++i) submit(name(i));
  committer->stop();
  EXPECT_EQ(seen, std::vector<bool>(50, true));
  EXPECT_EQ(diary.count("accepted"), 50U);
  // A verdict may come after the sync, which is another thread's.
  EXPECT_EQ(diary.count(line("durable", committer->counts().batches)), 1U);
  EXPECT_EQ(committer->counts().commits, 50U);
}

TEST_F(ACommitter, ReportsNothingDurableWhileItsSyncRuns) {
  start();
  faults.hold_syncs();
  submit("a");
  diary.wait_for("accepted 1");
  EXPECT_EQ(diary.count("durable"), 0U);
  faults.release_syncs();
  diary.wait_for("durable 1");
}

TEST_F(ACommitter, SyncsWhatNobodyWaitsForWhenItIsAsked) {
  start();
  submit("a", Sync::interval);
  diary.wait_for("accepted 1");
  EXPECT_EQ(diary.count("durable"), 0U);
  committer->want_durable();
  diary.wait_for("durable 1");
}

TEST_F(ACommitter, SyncsWhatNobodyWaitsForAfterTheInterval) {
  start({.interval = std::chrono::milliseconds(1)});
  submit("a", Sync::interval);
  diary.wait_for("durable 1");
}

TEST_F(ACommitter, RefusesEverythingAfterAFailedWrite) {
  start();
  submit("a");
  diary.wait_for("durable 1");
  faults.fail_writes(FaultyFiles::Write::no_space);
  submit("b");
  diary.wait_for("refused store_full 2");
  submit("c");
  EXPECT_EQ(diary.lines().back(), "refused store_full 3") << "at once, by who submits";
  EXPECT_LT(diary.place_of("failed store_full 1"), diary.place_of("refused store_full 2"));
  EXPECT_EQ(diary.count("applied"), 1U);
  EXPECT_EQ(diary.count("durable"), 1U);
  EXPECT_EQ(diary.count("failed"), 1U);
  committer->stop();
  EXPECT_EQ(committer->queued_bytes(), 0U);
}

TEST_F(ACommitter, AcknowledgesNothingAfterAFailedSyncUntilItIsOpenedAgain) {
  start();
  submit("a");
  diary.wait_for("durable 1");
  faults.fail_syncs();
  submit("b");
  diary.wait_for("failed store_failed 1");
  diary.wait_for("accepted 2");
  submit("c");
  EXPECT_EQ(diary.lines().back(), "refused store_failed 3");
  committer->want_durable();
  faults.heal();
  submit("d");
  EXPECT_EQ(diary.lines().back(), "refused store_failed 4");

  const auto last = committer->let_go();
  EXPECT_EQ(last, Version{2});
  EXPECT_EQ(diary.count("durable"), 1U) << "not even when it stops";
  reopen();
  usage.clear();
  snapshot = Version{3};
  committer->begin_again(database, snapshot);
  submit("e");
  diary.wait_for("durable 4");
  EXPECT_TRUE(get(encode(Key{"shop", Kind::value, "s", "a"})));
  EXPECT_TRUE(get(encode(Key{"shop", Kind::value, "s", "e"})));
  snapshot = Version{2};
  submit("stale");
  diary.wait_for("refused conflict 6");
}

TEST_F(ACommitter, RefusesATurnThatWasQueuedWhenASyncFailed) {
  start();
  submit("a");
  diary.wait_for("durable 1");
  diary.wait_for("accepted 1");
  hold_next();
  faults.hold_syncs();
  submit("b");
  diary.wait_for("held 2");
  submit("c");
  faults.fail_syncs();
  faults.release_syncs();
  diary.wait_for("failed store_failed 1");
  held.set_value();
  diary.wait_for("refused store_failed 3");
  EXPECT_EQ(diary.count("applied"), 2U);
}

TEST_F(ACommitter, DecidesWhatIsQueuedWhenItStopsAndRefusesWhatComesAfter) {
  start();
  hold_next();
  submit("a", Sync::interval);
  diary.wait_for("held 1");
  submit("b", Sync::interval);
  std::thread stopping([this] { committer->stop(); });
  held.set_value();
  stopping.join();
  EXPECT_EQ(diary.count("accepted"), 2U);
  EXPECT_EQ(diary.lines().back(), "durable 2");
  submit("c");
  EXPECT_EQ(diary.lines().back(), "refused shutting_down 3");
  EXPECT_EQ(committer->queued_bytes(), 0U);
}

TEST_F(ACommitter, SplitsWhatIsQueuedByTheBytesOfABatch) {
  start({.batch_bytes = 250, .interval = std::chrono::hours(1)});
  hold_next();
  submit("first");
  diary.wait_for("held 1");
  for (int i = 0; i < 7; ++i) submit(name(i), Sync::always, i == 6 ? 1'000'000 : 100);
  held.set_value();
  committer->stop();
  EXPECT_EQ(committer->counts().batches, 4U);  // of 1, of 3, of 3, and the large one alone
  EXPECT_EQ(diary.count("accepted"), 8U);
  EXPECT_EQ(diary.count("applied"), 4U);
}

TEST_F(ACommitter, CountsTheBytesOnTheirWayUntilTheyAreDecided) {
  start();
  hold_next();
  submit("a", Sync::always, 1000);
  diary.wait_for("held 1");
  submit("b", Sync::always, 500);
  EXPECT_EQ(committer->queued_bytes(), 1500U);
  EXPECT_EQ(committer->counts().queued_bytes, 1500U);
  held.set_value();
  committer->stop();
  EXPECT_EQ(committer->queued_bytes(), 0U);
}

TEST_F(ACommitter, SyncsForALoneCallerAndForManyAlike) {
  start();
  for (std::uint64_t i = 1; i <= 20; ++i) {
    submit("a");
    diary.wait_for(line("durable", i));
  }
  EXPECT_EQ(committer->counts().syncs, 20U);
  // The lone caller's thread is in its sync when another comes.
  faults.hold_syncs();
  const int syncs = faults.syncs();
  submit("b");
  diary.wait_for("accepted 21");
  while (faults.syncs() == syncs) std::this_thread::yield();
  submit("c", Sync::interval);
  committer->want_durable();
  faults.release_syncs();
  diary.wait_for("durable 21");
  committer->want_durable();
  committer->stop();
  EXPECT_EQ(diary.lines().back(), "durable 22");
}

TEST_F(ACommitter, AFailedSyncOfALoneCallerFailsTheStoreOnce) {
  start();
  for (std::uint64_t i = 1; i <= 10; ++i) {
    submit("a");
    diary.wait_for(line("durable", i));
  }
  faults.fail_syncs();
  submit("b");
  diary.wait_for("failed store_failed 10");
  submit("c");
  diary.wait_for("refused store_failed 12");
  committer->stop();
  EXPECT_EQ(diary.count("failed"), 1U);
  EXPECT_EQ(diary.count("durable"), 10U);
}

}  // namespace
}  // namespace carrel::store
