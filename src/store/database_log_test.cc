// A log that is written ahead, as a crash leaves it.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "store/database_folder.h"
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
    while (!is_ahead(largest(folder, ".log")) && count < 1000) {
      put(name(count), value(count));
      ++count;
      EXPECT_TRUE(database->sync());
      if (count > 40) std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
    EXPECT_LT(count, 1000) << "nothing was written ahead";
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
  static LogEnd end_of(const fs::path& log, std::uint64_t number, std::uint64_t secret) {
    std::unique_ptr<rocksdb::FSSequentialFile> file;
    LogEnd end;
    EXPECT_TRUE(rocksdb::FileSystem::Default()->NewSequentialFile(log, {}, &file, nullptr).ok());
    EXPECT_TRUE(find_log_end(*file, number, secret, end).ok());
    return end;
  }
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
  const auto image = folder.parent_path() / "image";
  fs::copy(crashed, image, fs::copy_options::recursive);
  const auto crash_again = [&] {
    fs::remove_all(crashed);
    fs::copy(image, crashed, fs::copy_options::recursive);
  };
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
  auto torn = whole, lost = whole;
  torn[written(whole) - 1] ^= 1;
  std::fill(
      lost.begin() + static_cast<std::ptrdiff_t>(whole.rfind(value(count - 2)) +
                                                 value(count - 2).size() + 2 + LogMark::kBytes),
      lost.end(), '\0');
  ASSERT_LT(written(lost), whole.rfind(name(count - 1)));
  for (const auto& early : {torn, lost}) {
    crash_again();
    write_text(first, early);
    write_text(crashed / "db" / later.filename(), synced);
    expect_refusal("the first one lacks what was synced before the second");

    crash_again();
    write_text(first, early);
    write_text(crashed / "db" / later.filename(), unsynced);
    const auto opened = open_crashed();
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_EQ(kept(**opened, count), count - 1);
    EXPECT_EQ(*(*opened)->get("later"), std::nullopt) << "it came after what is gone";
  }
}

TEST_F(ALogWrittenAhead, IsReadToWhatWasBeingWrittenBehindItsZerosToo) {
  const int count = fill_until_it_is_ahead();
  const auto before = written(read_text(largest(folder, ".log")));
  WriteSet large;
  for (int i = 0; i < 9; ++i) large.put("large" + std::to_string(i), std::string(1 << 20, 'x'));
  ASSERT_TRUE(database->write(large));
  crash();
  const auto log = largest(crashed, ".log");
  const auto whole = read_text(log);
  ASSERT_NE(whole.back(), '\0') << "there are zeros left behind it";
  for (const std::size_t page : {before / 4096 + 1, before / 4096 + 700, whole.size() / 4096 - 1}) {
    auto text = whole;
    text.replace(page * 4096, 4096, 4096, '\0');
    crash();
    write_text(log, text);
    const auto opened = open_crashed();
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_EQ(kept(**opened, count), count);
    EXPECT_EQ(*(*opened)->get("large0"), std::nullopt);
  }
}

TEST_F(ALogWrittenAhead, IsMarkedAtTheEndsOfBatchesOnly) {
  fill_until_it_is_ahead();
  std::jthread syncing([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) EXPECT_TRUE(database->sync());
  });
  for (int i = 0; i < 12; ++i) {
    WriteSet large;  // appended in several pieces
    for (int j = 0; j < 4; ++j)
      large.put(name(j), std::string(1 << 20, static_cast<char>('a' + i)));
    ASSERT_TRUE(database->write(large));
  }
  syncing.request_stop();
  syncing.join();
  const auto path = largest(folder, ".log");
  const auto log = read_text(path);
  const std::uint64_t number = std::stoull(path.stem().string());
  const auto secret = *store_secret(folder);
  ASSERT_NE(secret, 0U);
  const auto start = LogMark{.store = secret, .log = number}.encode();
  int marks = 0;
  for (auto at = log.find(start.data(), 0, 16); at != std::string::npos;
       at = log.find(start.data(), at + 1, 16)) {
    const auto mark = LogMark::at_end_of(std::string_view(log).substr(0, at + LogMark::kBytes));
    if (!mark) continue;  // it lies in two blocks
    ++marks;
    write_text(folder.parent_path() / "prefix", log.substr(0, mark->bytes));
    const auto end = end_of(folder.parent_path() / "prefix", number, secret);
    EXPECT_EQ(end.bytes, mark->bytes);
    EXPECT_FALSE(end.torn);
  }
  EXPECT_GT(marks, 30);
}

// What a guest writes may hold marks, but not of this store.
TEST_F(ALogWrittenAhead, DoesNotBelieveMarksThatAGuestWrote) {
  fill_until_it_is_ahead();
  const auto path = largest(folder, ".log");
  const std::uint64_t number = std::stoull(path.stem().string());
  const auto forged = [&](std::uint64_t store) {
    const auto mark = LogMark{.store = store, .log = number, .bytes = 1ULL << 40}.encode();
    std::string piece = "\1\3";  // a whole batch; data in the log only
    piece += char{LogMark::kBytes};
    piece.append(mark.data(), mark.size());
    const auto sum = log_checksum(piece);
    std::string out;
    for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(sum >> shift);
    out += static_cast<char>(piece.size() - 1);
    out += '\0';
    return out + piece;
  };
  const auto secret = *store_secret(folder);
  put("forged", forged(secret + 1) + std::string(300, 'f'));
  const auto file = folder.parent_path() / "log";
  auto text = read_text(path);
  text[text.rfind("forged") - 1] ^= 1;
  write_text(file, text);
  EXPECT_TRUE(end_of(file, number, secret).torn);
  EXPECT_FALSE(end_of(file, number, secret).damaged);
  EXPECT_TRUE(end_of(file, number, secret + 1).damaged) << "the mark is not well made";
}

TEST(LogMark, IsFoundAtTheEndOfItsBatchOnly) {
  const LogMark mark{.store = 0x0102030405060708, .log = 17, .bytes = 1ULL << 40, .ahead = true};
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
