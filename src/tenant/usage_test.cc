#include "tenant/usage.h"

#include <gtest/gtest.h>

#include "store/record.h"
#include "store/test_store.h"
#include "tenant/path.h"

namespace carrel::tenant {
namespace {

constexpr Hour kNoon = 500'000 - 500'000 % 24 + 12;  // of a day

HourlySpent entry(const char* tenant, const char* module, Hour hour, std::uint64_t turns = 1) {
  return {.who = {TenantName(tenant), AppName("shop"), ModuleName(module)},
          .hour = hour,
          .spent = {.turns = turns, .cpu = 7}};
}

class Usage : public store::OpenStore {
 protected:
  // The names of damaged ones.
  std::vector<std::string> add(std::vector<HourlySpent> entries) {
    store::Transaction transaction(*local, kNode, {});
    auto damaged = run(add_usage(&transaction, entries));
    EXPECT_TRUE(damaged && commit(transaction));
    return damaged.value_or(std::vector<std::string>{"none was added"});
  }
  Result<UsagePage> read(UsageQuery query) {
    store::Transaction transaction(*local, kNode, {});
    return run(read_usage(&transaction, &shard, std::move(query)));
  }
  // "tenant module hour turns", line by line, of all pages.
  std::string lines(UsageQuery query) {
    std::string text;
    for (int pages = 0; pages < 100; ++pages) {
      const auto page = read(query);
      if (!page) return std::string(code_name(page.error().code()));
      EXPECT_LE(page->rows.size(), query.max);
      for (const auto& row : page->rows)
        text +=
            row.who.tenant.str() + " " + row.who.module.str() + " " +
            std::to_string(static_cast<std::int64_t>(row.hour) - static_cast<std::int64_t>(kNoon)) +
            " " + std::to_string(row.spent.turns) + "\n";
      if (page->next.empty()) return text;
      query.after = page->next;
    }
    return "no end";
  }
  UsageQuery of(const char* tenant, Every every = Every::hour) {
    return {.tenant = TenantName(tenant), .from = kNoon - 100, .to = kNoon + 100, .every = every};
  }
};

TEST_F(Usage, OfAnHourAddsUp) {
  add({entry("acme", "a", kNoon, 2), entry("acme", "b", kNoon)});
  add({entry("acme", "a", kNoon, 3)});
  const auto page = read(of("acme"));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->rows.size(), 2u);
  EXPECT_EQ(page->rows[0].spent, (Spent{.turns = 5, .cpu = 14}));
}

TEST_F(Usage, IsOfTheTenantAndAllBelowItAndOfNobodyBeside) {
  add({entry("acme", "a", kNoon), entry("acme/x", "a", kNoon), entry("acme/x/y", "a", kNoon),
       entry("acme-2", "a", kNoon), entry("acme0", "a", kNoon), entry("acm", "a", kNoon)});
  EXPECT_EQ(lines(of("acme")), "acme/x/y a 0 1\nacme/x a 0 1\nacme a 0 1\n");
  EXPECT_EQ(lines(of("acme/x")), "acme/x/y a 0 1\nacme/x a 0 1\n");
  EXPECT_EQ(lines(of("none")), "");
}

TEST_F(Usage, IsOfTheHoursAskedFor) {
  add({entry("acme", "a", kNoon - 1), entry("acme", "a", kNoon), entry("acme", "a", kNoon + 1),
       entry("acme", "b", kNoon + 1), entry("acme", "c", kNoon)});
  UsageQuery query = of("acme");
  query.from = kNoon;
  query.to = kNoon + 1;
  EXPECT_EQ(lines(query), "acme a 0 1\nacme c 0 1\n");
  query.from = 0;
  query.to = kNoon;
  EXPECT_EQ(lines(query), "acme a -1 1\n");
}

TEST_F(Usage, OfDaysAndInAllAddsUp) {
  add({entry("acme", "a", kNoon - 24), entry("acme", "a", kNoon - 1), entry("acme", "a", kNoon),
       entry("acme", "a", kNoon + 11), entry("acme", "a", kNoon + 12), entry("acme", "b", kNoon)});
  EXPECT_EQ(lines(of("acme", Every::day)),
            "acme a -36 1\nacme a -12 3\nacme a 12 1\nacme b -12 1\n");
  EXPECT_EQ(lines(of("acme", Every::total)), "acme a -100 5\nacme b -100 1\n");
}

TEST_F(Usage, ComesInPagesThatLeaveNothingOut) {
  std::vector<HourlySpent> entries;
  for (Hour hour = 0; hour < 30; ++hour) {
    entries.push_back(entry("acme", "a", kNoon + hour));
    entries.push_back(entry("acme/x", "a", kNoon + hour));
  }
  add(entries);
  for (const Every every : {Every::hour, Every::day, Every::total}) {
    UsageQuery query = of("acme", every);
    const std::string whole = lines(query);
    for (query.max = 1; query.max < 5; ++query.max) EXPECT_EQ(lines(query), whole) << query.max;
  }
}

TEST_F(Usage, IsNotFoundByThePageOfAnother) {
  add({entry("acme", "a", kNoon)});
  UsageQuery query = of("acme");
  for (const char* after : {"other:shop:a:00500000", "acme0", "acme-2:", "\xff"}) {
    query.after = after;
    EXPECT_EQ(lines(query), "invalid_argument") << after;
  }
}

TEST_F(Usage, OfModulesThatUsedNothingThenIsNoEndlessPage) {
  constexpr std::size_t kModules = 1'300;
  std::vector<HourlySpent> entries;
  for (std::size_t i = 0; i < kModules; ++i) {
    const std::string module = "m" + std::to_string(10'000 + i);
    entries.push_back(entry("acme", module.c_str(), kNoon - 50));
    entries.push_back(entry("acme", module.c_str(), kNoon + 50));
    if (i % 100 == 7) entries.push_back(entry("acme", module.c_str(), kNoon));
    if (entries.size() < 500 && i + 1 < kModules) continue;
    EXPECT_TRUE(add(std::move(entries)).empty());
    entries.clear();
  }
  for (const Every every : {Every::hour, Every::total}) {
    UsageQuery query = of("acme", every);
    query.from = kNoon;
    query.to = kNoon + 1;
    std::size_t rows = 0, pages = 0;
    do {
      const auto page = read(query);
      ASSERT_TRUE(page);
      rows += page->rows.size();
      query.after = page->next;
    } while (!query.after.empty() && ++pages < 50);
    EXPECT_EQ(rows, 13U);
    EXPECT_GT(pages, 1U);
    EXPECT_LT(pages, 10U);
  }
}

TEST_F(Usage, ThatIsDamagedIsSetAsideAndBeginsAnew) {
  const store::Place place{.kind = store::Kind::tenant, .store = "usage"};
  const std::string name = "acme:shop:a:" + std::string("00500000");
  store::Transaction transaction(*local, kNode, {});
  ASSERT_TRUE(run(transaction.read(place, name)));
  ASSERT_TRUE(transaction.put(place, name, {.bytes = R"({"turns": -1})"}));
  ASSERT_TRUE(commit(transaction));
  EXPECT_EQ(add({entry("acme", "a", 500'000, 3), entry("acme", "b", 500'000, 2)}),
            std::vector{name});
  store::Transaction later(*local, kNode, {});
  const auto aside = run(later.read({.kind = store::Kind::tenant, .store = "usage-damaged"}, name));
  ASSERT_TRUE(aside && *aside != nullptr);
  EXPECT_EQ((*aside)->bytes, R"({"turns": -1})");
  UsageQuery query = of("acme");
  query.from = 500'000;
  query.to = 500'001;
  const auto page = read(query);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->rows.size(), 2U);
  EXPECT_EQ(page->rows[0].spent.turns, 3U);
  EXPECT_TRUE(add({entry("acme", "a", 500'000)}).empty());
}

TEST_F(Usage, ThatIsDamagedIsToldOfInItsRowAndHidesNoOther) {
  add({entry("acme", "a", kNoon, 2), entry("acme", "a", kNoon + 2, 3), entry("acme", "b", kNoon)});
  const store::Place place{.kind = store::Kind::tenant, .store = "usage"};
  store::Transaction transaction(*local, kNode, {});
  for (const std::string& name :
       {"acme:shop:a:" + std::to_string(100'000'000 + kNoon + 1).substr(1),
        std::string("acme:shop:a:whenever"), std::string("acme:x")}) {
    ASSERT_TRUE(run(transaction.read(place, name)));
    ASSERT_TRUE(transaction.put(place, name, {.bytes = R"({"turns": -1})"}));
  }
  ASSERT_TRUE(commit(transaction));
  EXPECT_EQ(lines(of("acme")), "acme a 0 2\nacme a 1 0\nacme a 2 3\nacme b 0 1\n");
  UsageQuery query = of("acme");
  query.max = 1;
  EXPECT_EQ(lines(query), lines(of("acme")));
  const auto hours = read(of("acme"));
  ASSERT_TRUE(hours);
  EXPECT_EQ(hours->rows[0].damaged, 0U);
  EXPECT_EQ(hours->rows[1].damaged, 1U);
  const auto all = read(of("acme", Every::total));
  ASSERT_TRUE(all);
  ASSERT_EQ(all->rows.size(), 2U);
  EXPECT_EQ(all->rows[0].spent.turns, 5U);
  EXPECT_EQ(all->rows[0].damaged, 1U);
  EXPECT_EQ(all->rows[1].damaged, 0U);
}

}  // namespace
}  // namespace carrel::tenant
