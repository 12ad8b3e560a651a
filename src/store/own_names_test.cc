#include "store/own_names.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "store/store_test_support.h"

namespace carrel::store {
namespace {

constexpr std::size_t kPage = 100;

OwnByKey changed(std::size_t count, bool there) {
  OwnByKey own;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = fmt::format("{:05}", i);
    own.emplace("p" + name, Own{.place = kCarts, .name = name, .there = there});
  }
  return own;
}

TEST(OwnNames, AreTakenOnceByAllPagesTogether) {
  const OwnByKey own = changed(10'000, true);
  std::size_t taken = 0, pages = 0;
  for (PageRange range{.max = kPage}; pages <= 100; ++pages) {
    const auto names = own_names(own, "p", range, 0);
    taken += names.size();
    if (names.size() <= kPage) break;
    range.from = names[kPage - 1].name + '\0';
  }
  EXPECT_EQ(pages, 99U);
  EXPECT_EQ(taken, 10'000U + pages);
}

TEST(OwnNames, BelowAFolderStandForIt) {
  OwnByKey own;
  for (int i = 0; i < 10'000; ++i) {
    const std::string name = fmt::format("{}/{:05}", i % 2, i);
    own.emplace("p" + name, Own{.place = kCarts, .name = name, .there = true});
  }
  PageRange range{.shows = PageRange::Shows::one_level, .max = kPage};
  EXPECT_EQ(own_names(own, "p", range, 0).size(), 2U);
  range.base = range.from = "1/";
  EXPECT_EQ(own_names(own, "p", range, 0).size(), kPage + 1);
}

TEST(OwnNames, ThatHideStoredOnesAreAllTakenByOnePage) {
  EXPECT_EQ(own_names(changed(1000, false), "p", {.max = 1}, 0).size(), 1000U);
}

class Listings : public StoreFixture {
 protected:
  Listings() { start_store(); }
  // Few names of few letters, so that names, folders and what is below them meet.
  std::string name() {
    std::string text;
    for (int size = 1 + static_cast<int>(random() % 4); size > 0; --size)
      text += "a!0/"[random() % (text.empty() || text.back() == '/' || size == 1 ? 3 : 4)];
    return text;
  }
  void change(Transaction& transaction) {
    for (int i = 0; i < 30; ++i) {
      const std::string key = name();
      ASSERT_TRUE(transaction.get(kCarts, key));
      const auto action = random() % 4;
      if (action == 0)
        ASSERT_TRUE(transaction.erase(kCarts, key));
      else
        ASSERT_TRUE(transaction.put(kCarts, key, {.bytes = "x", .expires = action == 1 ? 1U : 0U}));
    }
  }
  static std::vector<std::string> scanned(Transaction& transaction, std::string_view prefix,
                                          std::size_t max) {
    std::vector<std::string> names;
    for (bool end = false; !end;) {
      const auto page =
          transaction.scan(kCarts, prefix, names.empty() ? std::string() : names.back(), max);
      if (!page || !*page) return {"?"};
      for (const auto& entry : (*page)->entries) names.push_back(entry.name);
      end = (*page)->end;
    }
    return names;
  }
  static std::vector<FolderEntry> listed(Transaction& transaction, std::string_view of,
                                         std::size_t max) {
    std::vector<FolderEntry> entries;
    for (bool end = false; !end;) {
      const auto page = transaction.list(
          kCarts, of, entries.empty() ? std::nullopt : std::optional(entries.back()), max);
      if (!page || !*page) return {{"?", false}};
      std::ranges::copy((*page)->entries, std::back_inserter(entries));
      end = (*page)->end;
    }
    return entries;
  }

  std::mt19937 random{20};
};

TEST_F(Listings, AreTheSameInPagesOfAnySize) {
  for (int round = 0; round < 20; ++round) {
    auto stored = begin();
    change(stored);
    ASSERT_TRUE(commit(stored));
    auto turn = begin();
    change(turn);
    const auto all = scanned(turn, "", 1000);
    for (const auto* prefix : {"", "a", "a/", "0"}) {
      std::vector<std::string> expected;
      std::ranges::copy_if(all, std::back_inserter(expected),
                           [&](const auto& found) { return found.starts_with(prefix); });
      for (const std::size_t max : {1, 2, 3, 7}) EXPECT_EQ(scanned(turn, prefix, max), expected);
    }
    for (const auto* of : {"", "a", "a/a"}) {
      const auto whole = listed(turn, of, 1000);
      for (const std::size_t max : {1, 2, 3, 7}) EXPECT_EQ(listed(turn, of, max), whole) << of;
    }
  }
}

}  // namespace
}  // namespace carrel::store
