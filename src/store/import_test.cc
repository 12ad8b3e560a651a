#include "store/import.h"

#include <gtest/gtest.h>

#include <random>

#include "store/database_test_support.h"
#include "store/export.h"

namespace carrel::store {
namespace {

constexpr std::uint64_t kNow = 1'000'000;
constexpr std::uint64_t kLater = 9'000'000'000'000;

using Lines = std::vector<std::string>;

// A store of its own, filled and read as lines.
class Copy {
 public:
  explicit Copy(const std::filesystem::path& folder) {
    StoreOptions options;
    options.folder = folder;
    options.cache_bytes = 8 << 20;
    options.sweep_every = std::chrono::hours(1);
    store_ = std::move(*Store::open(options));
    local_ = &store_->attach(shard_);
  }
  ~Copy() { store_->stop(); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  Result<ImportReport> take(const Lines& lines, Existing existing = Existing::refuse) {
    Importer importer(*local_, existing, kNow);
    Result<void> result;
    shard_.run_until_done(feed(&importer, &lines, &result));
    last = importer.report();
    last_version = importer.version();
    if (!result) return std::unexpected(result.error());
    return importer.report();
  }
  Result<ExportReport> give(Lines& lines, std::optional<TenantName> app = {}) {
    lines.clear();
    return export_records((*store_->snapshot())->view, store_->parts(),
                          {.app = std::move(app), .now = kNow}, [&](std::string_view line) {
                            lines.emplace_back(line.substr(0, line.size() - 1));
                            return Result<void>();
                          });
  }
  Lines lines() {
    Lines lines;
    const auto given = give(lines);
    EXPECT_TRUE(given) << given.error().describe();
    return lines;
  }
  Usage usage(const std::string& app) const { return store_->usage(TenantName(app)); }

  Version newest() const { return (*store_->snapshot())->version; }

  ImportReport last;
  Version last_version{};

 private:
  static async::Task<void> feed(Importer* importer, const Lines* lines, Result<void>* result) {
    for (const std::string& line : *lines) {
      *result = co_await importer->add(line);
      if (!*result) co_return;
    }
    *result = co_await importer->finish();
  }
  async::Shard shard_;
  std::unique_ptr<Store> store_;
  ShardStore* local_ = nullptr;
};

class AnImport : public DatabaseFixture {
 protected:
  Copy store{folder};
};

std::string line_of(const ExportLine& line) {
  std::string text = write_line(line);
  text.pop_back();
  return text;
}
const std::string kHeader = line_of(HeaderLine{});
const std::string kEnd = line_of(EndLine{});
std::string item(const std::string& name, const std::string& bytes = "v") {
  return line_of(RecordLine{.app = "shop", .store = "carts", .name = name, .value = bytes});
}

// Lines of random records, in no order.
class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  std::string bytes(std::size_t size) {
    static constexpr std::string_view kSome("\0/a%\xff\xc3\xa9\n\"\\\x7f.", 12);
    std::string out;
    while (out.size() < size) out += kSome[below(kSome.size())];
    return out;
  }
  void add(Lines& lines, int number) {
    RecordLine line{.app = below(2) == 0 ? "shop" : "an-app-with-a-longer-name",
                    .kind = std::array{Kind::value, Kind::counter, Kind::blob}[below(3)],
                    .store = below(2) == 0 ? "one" : "two",
                    .name = bytes(below(20)) + std::to_string(number)};
    if (line.kind != Kind::counter && below(3) == 0) line.expires = kLater + below(1000);
    if (line.kind == Kind::value) line.value = bytes(below(300));
    if (line.kind == Kind::counter) line.count = static_cast<std::int64_t>(random_());
    if (line.kind == Kind::blob) line.size = below(8) == 0 ? 2 * kPartBytes + below(9) : below(99);
    lines.push_back(line_of(line));
    if (line.kind != Kind::blob) return;
    for (std::uint64_t left = line.size, part = 0; left > 0; left -= part) {
      part = std::min<std::uint64_t>(left, kPartBytes);
      // Every blob of two MiB shares its parts with the others.
      lines.push_back(line_of(PartLine{part == kPartBytes ? std::string(part, 'p') : bytes(part)}));
    }
  }

 private:
  std::mt19937_64 random_;
};

TEST_F(AnImport, OfAnExportMakesTheSameStore) {
  for (unsigned seed = 0; seed < 3; ++seed) {
    Dice dice(seed);
    Lines lines{kHeader};
    for (int i = 0; i < 60; ++i) dice.add(lines, i);
    lines.push_back(kEnd);
    const auto at = folder.parent_path() / std::to_string(seed);
    Copy first(at / "one"), second(at / "two");
    const auto taken = first.take(lines);
    ASSERT_TRUE(taken) << taken.error().describe();
    EXPECT_EQ(taken->values + taken->counters + taken->blobs, 60U);
    const Lines exported = first.lines();
    ASSERT_EQ(exported.size(), lines.size());
    ASSERT_TRUE(second.take(exported));
    EXPECT_EQ(second.lines(), exported);
    EXPECT_EQ(second.usage("shop").bytes, first.usage("shop").bytes);
    EXPECT_GT(second.usage("shop").bytes, 0U);
    // Once more over itself: nothing changes, whatever is done with what is there.
    EXPECT_EQ(second.take(exported).error().code(), Code::already_exists);
    EXPECT_EQ(second.take(exported, Existing::skip)->skipped, 60U);
    EXPECT_EQ(second.take(exported, Existing::replace)->replaced, 60U);
    EXPECT_EQ(second.lines(), exported);
    EXPECT_EQ(second.usage("shop").bytes, first.usage("shop").bytes);
  }
}

TEST_F(AnImport, KeepsWhatCameBeforeABadLineAndNothingAfterIt) {
  const auto taken = store.take({kHeader, item("a"), item("b"), "{", item("c"), kEnd});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code(), Code::invalid_argument);
  EXPECT_TRUE(taken.error().message().starts_with("line 4: ")) << taken.error().message();
  EXPECT_EQ(store.last.values, 2U);
  EXPECT_EQ(store.lines(), (Lines{kHeader, item("a"), item("b"), kEnd}));
}

TEST_F(AnImport, StopsAtTheFirstNameThatExists) {
  ASSERT_TRUE(store.take({kHeader, item("b", "old"), kEnd}));
  const auto taken = store.take({kHeader, item("a"), item("b"), item("c"), kEnd});
  EXPECT_EQ(taken.error().code(), Code::already_exists);
  EXPECT_TRUE(taken.error().message().starts_with("line 3: "));
  EXPECT_EQ(store.lines(), (Lines{kHeader, item("a"), item("b", "old"), kEnd}));
}

TEST_F(AnImport, SkipsOrReplacesWhatExistsAsItIsTold) {
  ASSERT_TRUE(store.take({kHeader, item("b", "old"), kEnd}));
  auto taken = store.take({kHeader, item("a"), item("b"), kEnd}, Existing::skip);
  EXPECT_EQ(taken->values, 1U);
  EXPECT_EQ(taken->skipped, 1U);
  EXPECT_EQ(store.lines(), (Lines{kHeader, item("a"), item("b", "old"), kEnd}));
  taken = store.take({kHeader, item("b"), kEnd}, Existing::replace);
  EXPECT_EQ(taken->replaced, 1U);
  EXPECT_EQ(store.lines(), (Lines{kHeader, item("a"), item("b"), kEnd}));
}

TEST_F(AnImport, LeavesOutWhatHasExpired) {
  const RecordLine line{.app = "shop", .store = "s", .name = "n", .value = "v", .expires = kNow};
  EXPECT_EQ(store.take({kHeader, line_of(line), kEnd})->expired, 1U);
  EXPECT_EQ(store.lines(), (Lines{kHeader, kEnd}));
}

TEST_F(AnImport, IsWholeOrSaysThatItIsNot) {
  const std::string blob = line_of(RecordLine{
      .app = "shop", .kind = Kind::blob, .store = "s", .name = "n", .size = kPartBytes + 1});
  const std::string full = line_of(PartLine{std::string(kPartBytes, 'x')});
  const std::string rest = line_of(PartLine{"y"});
  for (const Lines& lines : {
           Lines{},
           Lines{kHeader},
           Lines{item("a")},
           Lines{kEnd},
           Lines{kHeader, kHeader},
           Lines{kHeader, kEnd, item("a")},
           Lines{kHeader, rest},
           Lines{kHeader, blob, kEnd},
           Lines{kHeader, blob, rest},
           Lines{kHeader, blob, full, item("a")},
           Lines{kHeader, blob, full, full},
           Lines{kHeader, blob, full, blob},
           Lines{kHeader, blob, full, rest, rest},
       }) {
    const auto taken = store.take(lines, Existing::skip);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code(), Code::invalid_argument) << taken.error().describe();
  }
  EXPECT_EQ(store.lines(), (Lines{kHeader, blob, full, rest, kEnd}));
}

TEST_F(AnImport, SaysTheVersionToWaitFor) {
  ASSERT_TRUE(store.take({kHeader, item("a"), kEnd}));
  EXPECT_GT(store.last_version, kNoVersion);
  EXPECT_EQ(store.last_version, store.newest());
}

TEST_F(AnImport, OfMoreThanABatchIsWhole) {
  Lines lines{kHeader};
  for (int i = 0; i < 2500; ++i) lines.push_back(item(name(i)));
  lines.push_back(kEnd);
  EXPECT_EQ(store.take(lines)->values, 2500U);
  EXPECT_EQ(store.lines(), lines);
}

TEST_F(AnImport, IsOfOneAppWhenTheExportIs) {
  const std::string other = line_of(
      RecordLine{.app = "blog", .kind = Kind::counter, .store = "s", .name = "n", .count = -1});
  ASSERT_TRUE(store.take({kHeader, item("a"), other, kEnd}));
  Lines lines;
  ASSERT_TRUE(store.give(lines, TenantName("blog")));
  EXPECT_EQ(lines, (Lines{kHeader, other, kEnd}));
  EXPECT_EQ(store.give(lines, TenantName("nobody")).error().code(), Code::not_found);
}

TEST_F(AnImport, IsNotMadeOfADamagedBlob) {
  const std::string blob =
      line_of(RecordLine{.app = "shop", .kind = Kind::blob, .store = "s", .name = "n", .size = 1});
  ASSERT_TRUE(store.take({kHeader, blob, line_of(PartLine{"y"}), kEnd}));
  std::filesystem::remove_all(folder / "parts" / "shop");
  Lines lines;
  EXPECT_EQ(store.give(lines).error().code(), Code::data_corrupt);
}

}  // namespace
}  // namespace carrel::store
