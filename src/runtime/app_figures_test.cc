#include "runtime/app_figures.h"

#include <gtest/gtest.h>

#include <map>

namespace carrel::runtime {
namespace {

std::map<std::string, std::uint64_t> turns_of(const AppTable& table) {
  std::map<std::string, std::uint64_t> turns;
  table.read([&](const AppTable::Slot& slot) {
    turns[slot.tenant + "/" + slot.app] = slot.figures.turns.value();
  });
  return turns;
}

void count(AppTable& table, const std::string& tenant, const std::string& app) {
  table.of(TenantName(tenant), AppName(app)).turns.add();
}

TEST(AppTable, CountsEachAppUnderItsTenantsNameAndItsOwn) {
  AppTable table;
  count(table, "acme", "shop");
  count(table, "acme", "shop");
  count(table, "acme", "blog");
  count(table, "other", "shop");
  EXPECT_EQ(turns_of(table), (std::map<std::string, std::uint64_t>{
                                 {"/", 0}, {"acme/shop", 2}, {"acme/blog", 1}, {"other/shop", 1}}));
}

TEST(AppTable, ATenantOfManyAppsLeavesRoomForOthers) {
  AppTable table;
  for (std::size_t i = 0; i < AppTable::kMost; ++i) count(table, "acme", std::to_string(i));
  count(table, "other", "shop");
  const auto turns = turns_of(table);
  EXPECT_EQ(turns.size(), AppTable::kMostATenant + 2);
  EXPECT_EQ(turns.at("/"), AppTable::kMost - AppTable::kMostATenant);
  EXPECT_EQ(turns.at("other/shop"), 1U);
}

TEST(AppTable, BeyondItsBoundNoNameIsAdded) {
  AppTable table;
  for (std::size_t i = 0; i < 2 * AppTable::kMost; ++i) count(table, std::to_string(i), "shop");
  const auto turns = turns_of(table);
  EXPECT_EQ(turns.size(), AppTable::kMost + 1);
  EXPECT_EQ(turns.at("/"), AppTable::kMost);
  EXPECT_EQ(turns.at("7/shop"), 1U);
}

}  // namespace
}  // namespace carrel::runtime
