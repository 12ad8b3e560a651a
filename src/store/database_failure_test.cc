// What is left after torn, flipped and failed writes.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "store/database_test_support.h"
#include "store/faulty_files.h"

namespace carrel::store {
namespace {

class ADamagedDatabase : public DatabaseFixture {
 protected:
  void flip(const std::filesystem::path& file, std::size_t at) {
    auto text = read_text(file);
    ASSERT_LT(at, text.size());
    text[at] = static_cast<char>(text[at] ^ 1);
    write_text(file, text);
  }
};

TEST_F(ADamagedDatabase, LosesOnlyATornLastRecord) {
  open();
  put("a", "1");
  put("b", "2");
  database.reset();
  const auto log = largest(folder, ".log");
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 1);
  open();
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("b"), std::nullopt);
  put("c", "3");
  reopen();
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("c"), "3");
}

TEST_F(ADamagedDatabase, OpensWhereverTheLogWasCutShort) {
  open();
  fill(5);
  database.reset();
  const auto log = largest(folder, ".log");
  const auto whole = read_text(log);
  const auto saved = folder.parent_path() / "saved";
  std::filesystem::copy(folder, saved, std::filesystem::copy_options::recursive);
  for (std::size_t size = 0; size < whole.size(); size += 13) {
    std::filesystem::remove_all(folder);
    std::filesystem::copy(saved, folder, std::filesystem::copy_options::recursive);
    std::filesystem::resize_file(log, size);
    open();
    bool gone = false;  // what is kept is a beginning of what was written
    for (int i = 0; i < 5; ++i) {
      const auto got = get(name(i));
      EXPECT_TRUE(!got || !gone);
      gone = gone || !got;
    }
    database.reset();
  }
}

TEST_F(ADamagedDatabase, IsNotOpenedWhenABitOfItsLogIsFlipped) {
  open();
  fill(20);
  database.reset();
  const auto log = largest(folder, ".log");
  flip(log, std::filesystem::file_size(log) / 2);
  const auto opened = Database::open(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::data_corrupt) << opened.error().message();
  EXPECT_NE(opened.error().message().find(folder.string()), std::string::npos);
}

TEST_F(ADamagedDatabase, NeverAnswersWithAFlippedBitOfATable) {
  open();
  fill(500);
  const auto copy = folder.parent_path() / "copy";
  checkpoint_to(copy);
  database.reset();
  options.folder = copy;
  const auto table = largest(copy, ".sst");
  const auto whole = read_text(table);
  int refused = 0;
  for (std::size_t at = 5; at < whole.size(); at += whole.size() / 40) {
    flip(table, at);
    if (auto opened = Database::open(options)) {
      database = *opened;
      const auto verified = database->verify();
      ASSERT_FALSE(verified) << "byte " << at;
      EXPECT_EQ(verified.error().code(), Code::data_corrupt);
      EXPECT_NE(verified.error().message().find(table.filename().string()), std::string::npos)
          << verified.error().message();
      for (int i = 0; i < 500; i += 7) {
        const auto got = database->get(name(i));
        if (got) {
          EXPECT_EQ(*got, value(i)) << "byte " << at;
        } else {
          EXPECT_EQ(got.error().code(), Code::data_corrupt);
          ++refused;
        }
      }
      database.reset();
    } else {
      EXPECT_EQ(opened.error().code(), Code::data_corrupt);
      ++refused;
    }
    write_text(table, whole);
  }
  EXPECT_GT(refused, 0);
}

class AFailingDatabase : public DatabaseFixture {
 protected:
  AFailingDatabase() { options.files = faults.files(); }
  ~AFailingDatabase() override { database.reset(); }

  void expect_refusal_of_all() {
    EXPECT_EQ(try_put("later", "x").error().code(), Code::store_failed);
    EXPECT_EQ(database->sync().error().code(), Code::store_failed);
  }
  FaultyFiles faults;
};

TEST_F(AFailingDatabase, AppliesNothingWithoutRoomAndGoesOnWhenOpenedAgain) {
  open();
  put("a", "1");
  ASSERT_TRUE(database->sync());
  faults.fail_writes(FaultyFiles::Write::no_space);
  EXPECT_EQ(try_put("b", "2").error().code(), Code::store_full);
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("b"), std::nullopt);
  faults.heal();
  expect_refusal_of_all();
  reopen();
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("b"), std::nullopt);
  EXPECT_EQ(get("later"), std::nullopt);
  put("b", "3");
}

TEST_F(AFailingDatabase, WritesNothingMoreAfterATornWrite) {
  for (const auto how : {FaultyFiles::Write::torn, FaultyFiles::Write::fails}) {
    open();
    put("a", "1");
    faults.fail_writes(how);
    EXPECT_EQ(try_put("b", std::string(500, 'b')).error().code(), Code::store_failed);
    EXPECT_EQ(get("b"), std::nullopt);
    faults.heal();
    expect_refusal_of_all();
    reopen();
    EXPECT_EQ(get("a"), "1");
    EXPECT_EQ(get("b"), std::nullopt);
    put("c", "3");
    reopen();
    EXPECT_EQ(get("c"), "3");
    database.reset();
  }
}

TEST_F(AFailingDatabase, AcceptsNothingAfterAFailedSync) {
  open();
  put("a", "1");
  ASSERT_TRUE(database->sync());
  put("b", "2");
  faults.fail_syncs();
  EXPECT_EQ(database->sync().error().code(), Code::store_failed);
  faults.heal();
  expect_refusal_of_all();
  EXPECT_EQ(get("b"), "2");
  database.reset();
  faults.lose_unsynced();
  open();
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("b"), std::nullopt);
}

TEST_F(AFailingDatabase, KeepsWhatWasSyncedThroughALossOfPower) {
  open();
  for (int i = 0; i < 100; ++i) {
    put(name(i), value(i));
    if (i == 60) ASSERT_TRUE(database->sync());
  }
  database.reset();
  faults.lose_unsynced();
  open();
  EXPECT_EQ(get(name(60)), value(60));
  EXPECT_EQ(get(name(61)), std::nullopt);
}

TEST_F(AFailingDatabase, WritesWhileASyncRuns) {
  open();
  put("a", "1");
  faults.hold_syncs();
  const int before = faults.syncs();
  auto synced = std::async(std::launch::async, [this] { return database->sync(); });
  while (faults.syncs() == before) std::this_thread::yield();
  put("b", "2");  // would wait for ever if it waited for the sync
  EXPECT_EQ(get("b"), "2");
  faults.release_syncs();
  EXPECT_TRUE(synced.get());
}

}  // namespace
}  // namespace carrel::store
