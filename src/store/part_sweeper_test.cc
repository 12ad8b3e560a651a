#include "store/part_sweeper.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>

#include "store/database_test_support.h"
#include "store/part_ledger.h"
#include "store/record.h"
#include "store/usage_table.h"

namespace carrel::store {
namespace {

const TenantName kShop("shop");
constexpr std::chrono::minutes kMinute{1};
constexpr std::chrono::hours kHour{1};

struct Newest final : CommitObserver {
  void on_applied(std::shared_ptr<const Snapshot> applied) override {
    const std::lock_guard lock(mutex);
    state = std::move(applied);
  }
  void on_durable(Version version) override {
    const std::lock_guard lock(mutex);
    durable = version;
    changed.notify_all();
  }
  void on_failed(Error, std::shared_ptr<const Snapshot>) override {}
  std::mutex mutex;
  std::condition_variable changed;
  std::shared_ptr<const Snapshot> state;
  Version durable{};
};

struct Commit final : CommitRequest {
  using CommitRequest::CommitRequest;
  void decided(Verdict verdict) override { done.set_value(!verdict.refused); }
  std::promise<bool> done;
};

// Parts, and a committer whose clock stands still.
class APartSweeper : public DatabaseFixture {
 protected:
  APartSweeper() {
    open();
    parts.emplace(folder / "parts");
    sweeper.emplace(*parts);
    newest.state = std::make_shared<const Snapshot>(Snapshot{.view = database->view()});
    committer.emplace(database, tickets, usage, newest, kNoVersion,
                      CommitterOptions{.wall = [this] { return now; }});
  }
  ~APartSweeper() override {
    committer->stop();
    committer.reset();
    newest.state.reset();
  }

  PartHash write(const std::string& text) {
    const PartHash hash = hash_of_part(text);
    const auto pin = parts->pin(kShop, hash);
    EXPECT_TRUE(parts->write(kShop, hash, text));
    return hash;
  }
  bool has(const std::string& text) {
    return parts->read(kShop, hash_of_part(text)).value_or("") == text;
  }
  // Where the part's file is, or would be once more.
  std::filesystem::path file_of(const PartHash& hash) {
    return folder / "parts" / "shop" / hex(hash);
  }
  void age(const std::filesystem::path& file, Nanos by) {
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - by);
  }

  static std::shared_ptr<Commit> request(std::string_view name, std::optional<PartHash> part) {
    const Key key{"shop", Kind::blob, "s", name};
    Changes changes;
    changes.tenant = kShop;
    Change change{.key = encode(key),
                  .kind = Kind::blob,
                  .hash = hash_of_name(key),
                  .folders = folders_above(key),
                  .store = hash_of_store(key)};
    if (part) change.record = encode(Record{.bytes = encode(BlobManifest{1, {*part}})});
    changes.changes.push_back(std::move(change));
    return std::make_shared<Commit>(std::move(changes));
  }
  void commit(std::string_view name, std::optional<PartHash> part) {
    const auto made = request(name, part);
    committer->submit(made);
    ASSERT_TRUE(made->done.get_future().get());
  }
  SweptParts step() {
    std::shared_ptr<const Snapshot> state;
    Version durable{};
    {
      std::unique_lock lock(newest.mutex);
      state = newest.state;
      committer->want_durable();
      newest.changed.wait(lock, [&] { return newest.durable >= state->version; });
      durable = newest.durable;
    }
    const auto swept = sweeper->step(*committer, *state, durable, now);
    EXPECT_TRUE(swept) << swept.error().describe();
    return swept.value_or(SweptParts{});
  }
  std::uint64_t garbage() {
    std::uint64_t keys = 0;
    Cursor cursor(database->view(), end_of(prefix_of("shop", Kind::garbage)), Reach::disk);
    for (auto state = cursor.seek(prefix_of("shop", Kind::garbage)); state == Cursor::State::valid;
         state = cursor.next()) {
      ++keys;
    }
    return keys;
  }

  WallTime now = std::chrono::system_clock::now();
  TicketTable tickets;
  UsageTable usage;
  Newest newest;
  std::optional<Parts> parts;
  std::optional<PartSweeper> sweeper;
  std::optional<Committer> committer;
};

TEST_F(APartSweeper, RemovesAPartAMinuteAfterItsLastUse) {
  const PartHash hash = write("a"), kept = write("b");
  commit("one", hash);
  commit("two", hash);
  commit("three", kept);
  commit("one", std::nullopt);
  EXPECT_EQ(garbage(), 0U);
  commit("two", std::nullopt);
  ASSERT_EQ(garbage(), 1U);
  now += kMinute - std::chrono::milliseconds(1);
  step();
  step();
  EXPECT_TRUE(has("a"));
  now += std::chrono::milliseconds(1);
  EXPECT_EQ(step().unused, 0U);
  EXPECT_TRUE(has("a")) << "forgotten, and not yet on the disk";
  EXPECT_EQ(step().unused, 1U);
  EXPECT_FALSE(has("a"));
  EXPECT_TRUE(has("b"));
  EXPECT_EQ(garbage(), 0U);
  EXPECT_FALSE(get(part_key("shop", hash)));
  now += 3 * kHour;
  EXPECT_EQ(step().unused + step().unused, 0U);
  EXPECT_TRUE(has("b"));
}

TEST_F(APartSweeper, WaitsForTheDiskBeforeItRemovesAnything) {
  commit("one", write("a"));
  commit("one", std::nullopt);
  now += kMinute;
  step();
  const Version before{static_cast<std::uint64_t>(newest.state->version) - 1};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(sweeper->step(*committer, *newest.state, before, now)->unused, 0U);
    EXPECT_TRUE(has("a"));
  }
  EXPECT_EQ(step().unused, 1U);
}

TEST_F(APartSweeper, LeavesAPartThatATurnHasPinnedOrUsesAgain) {
  const PartHash hash = write("a");
  commit("one", hash);
  commit("one", std::nullopt);
  now += kMinute;
  auto pin = parts->pin(kShop, hash);
  step();
  step();
  ASSERT_TRUE(has("a"));
  commit("one", hash);
  pin = Parts::Pin();
  now += 3 * kHour;
  step();
  step();
  EXPECT_TRUE(has("a"));
  EXPECT_EQ(decode_count(get(part_key("shop", hash)).value_or("")), 1);
}

TEST_F(APartSweeper, LeavesAPartThatIsPinnedAndCommittedAfterItWasFound) {
  const PartHash hash = write("a");
  commit("one", hash);
  commit("one", std::nullopt);
  now += kMinute;
  step();
  ASSERT_FALSE(get(part_key("shop", hash)));
  write("a");  // finds the file
  commit("two", hash);
  step();
  EXPECT_TRUE(has("a"));
  EXPECT_EQ(decode_count(get(part_key("shop", hash)).value_or("")), 1);
}

TEST_F(APartSweeper, LeavesAPartWhoseTurnCommitsAndDoesNotWait) {
  for (int round = 0; round < 50; ++round) {
    const PartHash hash = write("a");
    commit("one", hash);
    commit("one", std::nullopt);
    now += kMinute;
    write("a");
    const auto abandoned = request("one", hash);
    committer->submit(abandoned);  // its pin is gone, and it may not have been decided
    step();
    step();
    ASSERT_TRUE(has("a"));
    ASSERT_TRUE(abandoned->done.get_future().get());
    commit("one", std::nullopt);
  }
}

TEST_F(APartSweeper, RemovesWhatNoCommitEverNamedAfterAnHour) {
  const PartHash old = write("old"), pinned = write("pinned"), used = write("used");
  write("fresh");
  commit("one", used);
  for (const auto& hash : {old, pinned, used}) age(file_of(hash), kHour + kMinute);
  const auto pin = parts->pin(kShop, pinned);
  write_text(folder / "parts" / "shop" / "foreign", "x");
  age(folder / "parts" / "shop" / "foreign", 2 * kHour);
  EXPECT_EQ(step().unused, 0U);
  EXPECT_EQ(step().unused, 1U);
  EXPECT_FALSE(has("old"));
  EXPECT_TRUE(has("pinned"));
  EXPECT_TRUE(has("used"));
  EXPECT_TRUE(has("fresh"));
  EXPECT_TRUE(std::filesystem::exists(folder / "parts" / "shop" / "foreign"));
}

TEST_F(APartSweeper, LooksAtAllFilesAgainEveryHour) {
  now += kHour;
  step();
  write("left");
  step();
  step();
  EXPECT_TRUE(has("left"));
  now += kHour;
  step();
  EXPECT_EQ(step().unused, 1U);
}

TEST_F(APartSweeper, RemovesFilesThatWereBegunAnHourAgoAndHaveNoPin) {
  const PartHash hash = write("a");
  commit("one", hash);
  const auto begun = [&](std::string_view number) {
    auto file = file_of(hash);
    file += number;
    write_text(file, "part of it");
    return file;
  };
  const auto old = begun(".0.new"), fresh = begun(".1.new");
  age(old, kHour);
  {
    const auto pin = parts->pin(kShop, hash);
    EXPECT_EQ(step().unfinished, 0U);
  }
  now += kHour - kMinute;
  sweeper.emplace(*parts);
  EXPECT_EQ(step().unfinished, 1U);
  EXPECT_FALSE(std::filesystem::exists(old));
  EXPECT_TRUE(std::filesystem::exists(fresh));
  EXPECT_TRUE(has("a"));
}

TEST_F(APartSweeper, KeepsWithManyPartsAndBoundsAStep) {
  constexpr std::size_t kMany = 2 * PartSweeper::kMostParts + 10;
  write(name(0));  // makes the folder; the others take no syncs
  for (int i = 1; i < static_cast<int>(kMany); ++i) {
    write_text(file_of(hash_of_part(name(i))), name(i));
  }
  now += 2 * kHour;
  std::uint64_t removed = 0;
  for (int i = 0; i < 4; ++i) {
    const auto unused = step().unused;
    EXPECT_LE(unused, PartSweeper::kMostFiles);
    removed += unused;
  }
  EXPECT_EQ(removed, kMany);
}

TEST_F(APartSweeper, RemovesNothingWhenTheLedgerDoesNotForget) {
  commit("one", write("a"));
  commit("one", std::nullopt);
  now += kMinute;
  step();
  // As a failure would, that loses what was forgotten.
  put(part_key("shop", hash_of_part("a")), encode_count(1));
  EXPECT_EQ(
      sweeper
          ->step(*committer, {.version = Version{99}, .view = database->view()}, Version{99}, now)
          ->unused,
      0U);
  EXPECT_TRUE(has("a"));
  committer->stop();
  write("b");
  age(file_of(hash_of_part("b")), 2 * kHour);
  sweeper.emplace(*parts);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(sweeper->step(*committer, *newest.state, newest.durable, now)->unused, 0U);
  EXPECT_TRUE(has("b"));
}

}  // namespace
}  // namespace carrel::store
