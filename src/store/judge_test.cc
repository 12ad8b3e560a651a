#include "store/judge.h"

#include "store/database_test_support.h"

namespace carrel::store {
namespace {

const TenantName kShop("shop");

Key key_of(Kind kind, std::string_view name) {
  return {.tenant = "shop", .kind = kind, .store = "s", .name = name};
}

class JudgeTest : public DatabaseFixture {
 protected:
  void SetUp() override {
    open();
    judge.emplace(database, tickets, slots, usage, Version{10},
                  [] { return WallTime(std::chrono::seconds(1)); });
    judge->begin(Version{11});
  }
  void TearDown() override { judge.reset(); }

  Changes& begin(Version snapshot = Version{10}) {
    Changes& changes = kept.emplace_back();
    changes.tenant = kShop;
    changes.snapshot = snapshot;
    return changes;
  }
  static void change(Changes& changes, std::string_view name, std::optional<std::string> value,
                     std::uint64_t expires = 0) {
    const Key key = key_of(Kind::value, name);
    Change made{.key = encode(key),
                .hash = hash_of_name(key),
                .folders = folders_above(key),
                .store = hash_of_store(key),
                .expires = expires};
    if (value) {
      made.charge = name.size() + value->size();
      made.record = encode(Record{.bytes = *value, .expires = expires});
    }
    changes.changes.push_back(std::move(made));
  }
  static void change_blob(Changes& changes, std::string_view name,
                          const std::optional<std::string>& manifest) {
    const Key key = key_of(Kind::blob, name);
    Change made{.key = encode(key),
                .kind = Kind::blob,
                .hash = hash_of_name(key),
                .folders = folders_above(key),
                .store = hash_of_store(key)};
    if (manifest) {
      const Record record{.bytes = *manifest};
      made.charge = charge_of(Kind::blob, name, {record.bytes, 0});
      made.record = encode(record);
    }
    changes.changes.push_back(std::move(made));
  }
  static void add(Changes& changes, std::int64_t delta, std::optional<std::int64_t> floor) {
    const Key key = key_of(Kind::counter, "n");
    changes.additions.push_back({.key = encode(key),
                                 .hash = hash_of_name(key),
                                 .folders = folders_above(key),
                                 .store = hash_of_store(key),
                                 .name_bytes = 1,
                                 .delta = delta,
                                 .floor = floor});
  }
  std::optional<Code> refusal(const Changes& changes) {
    const auto verdict = judge->decide(changes);
    if (!verdict.refused) return {};
    return verdict.refused->code();
  }
  // Writes the batch and begins the next.
  void write() {
    ASSERT_TRUE(database->write(judge->finish()));
    judge->begin(Version{12});
  }
  std::vector<std::string> keys(Kind kind) {
    const std::string prefix = prefix_of("shop", kind);
    Cursor cursor(database->view(), end_of(prefix), Reach::disk);
    std::vector<std::string> found;
    for (auto state = cursor.seek(prefix); state == Cursor::State::valid; state = cursor.next()) {
      found.emplace_back(cursor.key());
    }
    return found;
  }
  std::size_t count(Kind kind) { return keys(kind).size(); }
  std::string first_of(Kind kind) { return keys(kind).front(); }
  std::size_t expiries() { return count(Kind::expiry); }

  TicketTable tickets;
  SlotTable slots;
  UsageTable usage;
  std::deque<Changes> kept;
  std::optional<Judge> judge;
};

TEST_F(JudgeTest, TheSecondOfABatchLosesByWhatTheFirstWrote) {
  Changes &one = begin(), &two = begin();
  change(one, "k", "1");
  change(two, "k", "2");
  two.reads = {hash_of_name(key_of(Kind::value, "k"))};
  EXPECT_EQ(refusal(one), std::nullopt);
  const auto verdict = judge->decide(two);
  EXPECT_EQ(verdict.refused->code(), Code::conflict);
  EXPECT_EQ(verdict.lost, two.reads);
}

TEST_F(JudgeTest, WhatWasReadBeforeTheStoreWasOpenedAgainIsRefused) {
  Changes& old = begin(Version{9});
  change(old, "k", "1");
  EXPECT_EQ(refusal(old), Code::conflict);
  EXPECT_TRUE(judge->finish().empty());
}

TEST_F(JudgeTest, AFloorSeesTheBatchAndARefusedTurnLeavesNothing) {
  Changes &one = begin(), &two = begin(), &three = begin();
  add(one, 2, 0);
  change(two, "k", "1");
  add(two, -3, 0);
  add(three, -2, 0);
  EXPECT_EQ(refusal(one), std::nullopt);
  EXPECT_EQ(refusal(two), Code::below_floor);
  EXPECT_EQ(refusal(three), std::nullopt);
  write();
  EXPECT_EQ(get(one.additions[0].key), encode(Record{.bytes = encode_count(0)}));
  EXPECT_EQ(get(two.changes[0].key), std::nullopt);
  EXPECT_EQ(get(usage_key(kShop)), encode_usage(9, 1));
}

TEST_F(JudgeTest, ACounterDoesNotOverflow) {
  Changes &one = begin(), &two = begin();
  add(one, INT64_MAX, std::nullopt);
  add(two, 1, std::nullopt);
  EXPECT_EQ(refusal(one), std::nullopt);
  EXPECT_EQ(refusal(two), Code::below_floor);
}

TEST_F(JudgeTest, TheQuotaSeesTheBatchAndLetsGoOfWhatIsTooMuch) {
  Changes &one = begin(), &two = begin(), &less = begin();
  change(one, "a", "123456789");
  one.quota = two.quota = 10;
  change(two, "b", "");
  change(less, "a", "12345678");
  less.quota = 0;
  EXPECT_EQ(refusal(one), std::nullopt) << "as much as there may be";
  EXPECT_EQ(refusal(two), Code::quota_exceeded);
  EXPECT_EQ(refusal(less), std::nullopt) << "a tenant over its quota may store less";
  write();
  EXPECT_EQ(get(usage_key(kShop)), encode_usage(9, 1));
}

TEST_F(JudgeTest, TheQuotaOfATenantAboveBoundsAllBelowItTogether) {
  usage.subtrees().limit("acme", 10);
  const auto put = [&](const char* tenant, const char* name, std::size_t bytes) {
    Changes& changes = begin();
    changes.tenant = TenantName(tenant);
    change(changes, name, std::string(bytes, 'x'));
    return judge->decide(changes);
  };
  EXPECT_FALSE(put("acme/a", "a", 5).refused);   // 6 with its name
  EXPECT_FALSE(put("acme-b", "b", 50).refused);  // beside it
  const auto refused = put("acme/b", "c", 4);
  ASSERT_TRUE(refused.refused);
  EXPECT_EQ(refused.refused->code(), Code::quota_exceeded);
  EXPECT_TRUE(refused.refused->message().contains("tenant acme,")) << refused.refused->message();
  EXPECT_FALSE(put("acme/b", "d", 3).refused);
  EXPECT_TRUE(put("acme", "e", 0).refused);
  usage.subtrees().limit("acme", std::nullopt);
  EXPECT_FALSE(put("acme", "f", 100).refused);
  ASSERT_TRUE(database->write(judge->finish()));
  SubtreeQuotas loaded;
  loaded.load(database->view());
  EXPECT_EQ(loaded.of("acme").bytes, 6 + 4 + 101);
  EXPECT_EQ(loaded.of("acme/a").bytes, 6);
  EXPECT_EQ(loaded.of("acme-b").bytes, 51);
}

TEST_F(JudgeTest, AnExpiryIsFiledOnceAndGoesWithItsName) {
  change(begin(), "k", "1", 1000);
  EXPECT_EQ(refusal(kept.back()), std::nullopt);
  write();
  EXPECT_EQ(expiries(), 1U);
  change(begin(Version{11}), "k", "2", 2000);
  EXPECT_EQ(refusal(kept.back()), std::nullopt);
  write();
  EXPECT_EQ(expiries(), 1U);
  change(begin(Version{12}), "k", std::nullopt);
  EXPECT_EQ(refusal(kept.back()), std::nullopt);
  write();
  EXPECT_EQ(expiries(), 0U);
  EXPECT_EQ(get(usage_key(kShop)), encode_usage(0, 0));
}

TEST_F(JudgeTest, WhatTheTurnRememberedIsNotBelievedOnceTheNameHasMoved) {
  Changes &one = begin(), &two = begin();
  change(one, "k", "123");
  change(two, "k", std::nullopt);
  two.changes[0].before = {.known = true};
  EXPECT_EQ(refusal(one), std::nullopt);
  EXPECT_EQ(refusal(two), std::nullopt);
  write();
  EXPECT_EQ(get(usage_key(kShop)), encode_usage(0, 0));
}

TEST_F(JudgeTest, OnlyWhatNoneAfterItWroteAgainStands) {
  change(begin(), "a", "1");
  change(kept.back(), "b", "1");
  change(begin(), "c", "1");
  add(begin(Version{9}), 1, 5);  // refused: below its floor
  change(begin(), "b", "2");
  for (const Changes& turn : kept) judge->decide(turn);
  EXPECT_FALSE(judge->stands(0));
  EXPECT_TRUE(judge->stands(1));
  EXPECT_TRUE(judge->stands(3));
  judge->begin(Version{12});
  change(begin(Version{11}), "a", "2");
  judge->decide(kept.back());
  EXPECT_TRUE(judge->stands(0)) << "what it replaced is of an earlier batch";
}

TEST_F(JudgeTest, APartIsCountedThroughABatchAndForgottenOnlyWhileNothingUsesIt) {
  const PartHash hash = hash_of_part("a part");
  const std::string manifest = encode(BlobManifest{.size = 6, .parts = {hash}});
  const std::string part = part_key("shop", hash);

  // To none and up again in one batch.
  Changes& made = begin();
  change_blob(made, "a", manifest);
  EXPECT_EQ(refusal(made), std::nullopt);
  Changes& gone = begin();
  change_blob(gone, "a", {});
  EXPECT_EQ(refusal(gone), std::nullopt);
  Changes& again = begin();
  change_blob(again, "b", manifest);
  EXPECT_EQ(refusal(again), std::nullopt);
  write();
  EXPECT_EQ(**database->get(part), encode_count(1));
  EXPECT_EQ(count(Kind::garbage), 0u);

  // From one name to another in one turn.
  Changes& moved = begin(Version{11});
  change_blob(moved, "b", {});
  change_blob(moved, "c", manifest);
  EXPECT_EQ(refusal(moved), std::nullopt);
  write();
  EXPECT_EQ(**database->get(part), encode_count(1));
  EXPECT_EQ(count(Kind::garbage), 0u);

  Changes& last = begin(Version{12});
  change_blob(last, "c", {});
  EXPECT_EQ(refusal(last), std::nullopt);
  write();
  ASSERT_EQ(count(Kind::garbage), 1u);
  const std::string garbage = first_of(Kind::garbage);

  // It comes into use in the batch that is to forget it.
  Changes& used = begin(Version{12});
  change_blob(used, "d", manifest);
  EXPECT_EQ(refusal(used), std::nullopt);
  Changes& late = begin(Version{12});
  late.garbage = {garbage};
  EXPECT_EQ(refusal(late), std::nullopt);
  write();
  EXPECT_EQ(**database->get(part), encode_count(1));

  Changes& unused = begin(Version{12});
  change_blob(unused, "d", {});
  EXPECT_EQ(refusal(unused), std::nullopt);
  Changes& swept = begin(Version{12});
  swept.garbage = {garbage};  // of the same time, as the clock stands
  EXPECT_EQ(refusal(swept), std::nullopt);
  write();
  EXPECT_EQ(*database->get(part), std::nullopt);
  EXPECT_EQ(count(Kind::garbage), 0u);

  Changes& damaged = begin(Version{12});
  damaged.garbage = {"no key"};
  EXPECT_EQ(refusal(damaged), Code::data_corrupt);
}

TEST_F(JudgeTest, DamagedRecordsAreRefusedNotOverwritten) {
  put(encode(key_of(Kind::value, "k")), "");
  put(encode(key_of(Kind::counter, "n")), encode(Record{.bytes = "seven"}));
  change(begin(), "k", "1");
  EXPECT_EQ(refusal(kept.back()), Code::data_corrupt);
  add(begin(), 1, std::nullopt);
  EXPECT_EQ(refusal(kept.back()), Code::data_corrupt);
}

}  // namespace
}  // namespace carrel::store
