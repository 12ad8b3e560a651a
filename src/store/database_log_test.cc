// A log that is written ahead, as a crash leaves it.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "store/database_impl.h"
#include "store/database_test_support.h"

namespace carrel::store {
namespace {

namespace fs = std::filesystem;

class ALogWrittenAhead : public DatabaseFixture {
 protected:
  ALogWrittenAhead() : crashed(folder.parent_path() / "crashed") {}

  static bool is_ahead(const fs::path& log) { return fs::file_size(log) > std::size_t{1} << 20; }
  // Synced each, until the log has zeros behind it. How many.
  int fill_until_it_is_ahead() {
    open();
    int count = 0;
    while (!is_ahead(largest(folder, ".log")) && count < 10'000) {
      put(name(count), value(count));
      ++count;
      EXPECT_TRUE(database->sync());
      if (count > 40) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_LT(count, 10'000) << "nothing was written ahead";
    put(name(count), value(count));
    EXPECT_TRUE(database->sync());
    return count + 1;
  }
  // As the kernel has the files now.
  void crash() {
    fs::remove_all(crashed);
    fs::copy(folder, crashed, fs::copy_options::recursive);
    fs::remove(crashed / "db" / "LOCK");
  }
  Result<std::shared_ptr<Database>> open_crashed() {
    auto again = options;
    again.folder = crashed;
    return Database::open(again);
  }
  // How many of the first `count` are there; what is there is a beginning.
  int kept(Database& in, int count) {
    int there = 0;
    for (int i = 0; i < count; ++i) {
      const auto got = in.get(name(i));
      EXPECT_TRUE(got);
      if (!got || !*got) continue;
      EXPECT_EQ(there, i) << "one before it is gone";
      EXPECT_EQ(**got, value(i));
      there = i + 1;
    }
    return there;
  }
  static std::size_t written(const std::string& log) { return log.find_last_not_of('\0') + 1; }
  void expect_refusal(std::string_view about) {
    const auto opened = open_crashed();
    ASSERT_FALSE(opened) << about;
    EXPECT_EQ(opened.error().code(), Code::data_corrupt) << opened.error().message();
  }

  fs::path crashed;
};

TEST_F(ALogWrittenAhead, HoldsAllThatWasWritten) {
  const int count = fill_until_it_is_ahead();
  put(name(count), value(count));  // with the kernel, as a killed process leaves it
  crash();
  const auto opened = open_crashed();
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(kept(**opened, count + 1), count + 1);
}

TEST_F(ALogWrittenAhead, IsCutToWhatItHoldsWhenItIsClosed) {
  const int count = fill_until_it_is_ahead();
  const auto log = largest(folder, ".log");
  EXPECT_TRUE(is_ahead(log));
  database.reset();
  EXPECT_FALSE(is_ahead(log));
  open();
  EXPECT_EQ(kept(*database, count), count);
}

TEST_F(ALogWrittenAhead, IsCopiedToWhatItHolds) {
  const int count = fill_until_it_is_ahead();
  checkpoint_to(crashed);
  for (const auto& each : fs::directory_iterator(crashed / "db")) {
    if (each.path().extension() == ".log") EXPECT_FALSE(is_ahead(each));
  }
  const auto opened = open_crashed();
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(kept(**opened, count), count);
}

TEST_F(ALogWrittenAhead, LosesOnlyWhatWasBeingWritten) {
  const int count = fill_until_it_is_ahead();
  const auto before = written(read_text(largest(folder, ".log")));
  put(name(count), value(count));
  put(name(count + 1), value(count + 1));
  crash();
  const auto log = largest(crashed, ".log");
  const auto whole = read_text(log);
  const auto end = written(whole);
  ASSERT_GT(end, before);
  // Any part of it may have reached the disk, and any not.
  for (auto from = before; from < end; from += 7) {
    for (const auto to : {from + 11, end}) {
      auto text = whole;
      std::fill(text.begin() + static_cast<std::ptrdiff_t>(from),
                text.begin() + static_cast<std::ptrdiff_t>(std::min(to, end)), '\0');
      crash();
      write_text(log, text);
      const auto opened = open_crashed();
      ASSERT_TRUE(opened) << from << ": " << opened.error().message();
      EXPECT_GE(kept(**opened, count + 2), count);
      WriteSet more;
      more.put("later", "x");
      EXPECT_TRUE((*opened)->write(more));
    }
  }
}

TEST_F(ALogWrittenAhead, IsNotOpenedWhereDamageCameAfterItsSync) {
  fill_until_it_is_ahead();
  ASSERT_FALSE(database->is_marked());
  ASSERT_TRUE(database->mark_synced());
  ASSERT_TRUE(database->is_marked());
  crash();
  const auto log = largest(crashed, ".log");
  const auto whole = read_text(log);
  const auto end = written(whole) - 60;  // without the last mark itself
  for (std::size_t at = 0; at < end; at += 1 + end / 300) {
    auto text = whole;
    text[at] = static_cast<char>(text[at] ^ 4);
    crash();
    write_text(log, text);
    expect_refusal("a bit of byte " + std::to_string(at));
  }
  for (std::size_t at = 0; at + 512 < end; at += 512) {
    auto text = whole;
    text.replace(at, 512, 512, '\0');
    crash();
    write_text(log, text);
    expect_refusal("the sector at " + std::to_string(at));
  }
}

TEST_F(ALogWrittenAhead, IsNotWholeWhereALaterOneWasSynced) {
  const int count = fill_until_it_is_ahead();
  crash();
  const auto first = largest(crashed, ".log");
  reopen();  // into a log of its own
  const auto later = largest(folder, ".log");
  ASSERT_NE(first.filename(), later.filename());
  put("later", "x");
  const auto unsynced = read_text(later);
  ASSERT_TRUE(database->sync());
  ASSERT_TRUE(database->mark_synced());
  const auto synced = read_text(later);

  const auto whole = read_text(first);
  auto torn = whole;
  torn[written(whole) - 1] ^= 1;
  write_text(first, torn);
  write_text(crashed / "db" / later.filename(), synced);
  expect_refusal("the first one lacks what was synced before the second");

  write_text(crashed / "db" / later.filename(), unsynced);
  const auto opened = open_crashed();
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(kept(**opened, count), count - 1);
  EXPECT_EQ(*(*opened)->get("later"), std::nullopt) << "it came after what is gone";
}

TEST(LogMark, IsFoundAtTheEndOfItsBatchOnly) {
  const LogMark mark{.run = 0x0102030405060708, .log = 17, .bytes = 1ULL << 40};
  const auto text = mark.encode();
  rocksdb::WriteBatch batch;
  batch.Put("key", "value").PermitUncheckedError();
  EXPECT_FALSE(LogMark::at_end_of(batch.Data()));
  batch.PutLogData({text.data(), text.size()}).PermitUncheckedError();
  EXPECT_EQ(LogMark::at_end_of(batch.Data()), mark);
  for (std::size_t size = 0; size < batch.Data().size(); ++size) {
    EXPECT_FALSE(LogMark::at_end_of(std::string_view(batch.Data()).substr(0, size))) << size;
  }
}

}  // namespace
}  // namespace carrel::store
