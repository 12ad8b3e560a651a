#include "store/slots.h"

#include <gtest/gtest.h>

#include <set>

namespace carrel::store {
namespace {

Key key(std::string_view name, std::string_view store = "carts", std::string_view tenant = "shop") {
  return {.tenant = tenant, .kind = Kind::value, .store = store, .name = name};
}

TEST(Slots, ANameHasTheFoldersAboveItNearestLast) {
  EXPECT_EQ(folders_above(key("k")), std::vector{hash_of_folder(key(""))});
  EXPECT_EQ(
      folders_above(key("a/b/k")),
      (std::vector{hash_of_folder(key("")), hash_of_folder(key("a")), hash_of_folder(key("a/b"))}));
}

TEST(Slots, ALongPathHasNoMoreThanSixteen) {
  std::string deep;
  for (int i = 0; i < 512; ++i) deep += "d/";
  const auto folders = folders_above(key(deep));
  ASSERT_EQ(folders.size(), kMostFolders);
  EXPECT_EQ(folders_above(key(deep + "k")), folders);
  EXPECT_EQ(folders_above(key(std::string_view(deep).substr(0, 31))).back(), folders.back());
}

TEST(Slots, NamesFoldersAndStoresHaveHashesOfTheirOwn) {
  const std::set<std::uint64_t> all{
      hash_of_name(key("a")),          hash_of_folder(key("a")),        hash_of_store(key("a")),
      hash_of_name(key("a", "cart")),  hash_of_store(key("a", "cart")), hash_of_name(key("")),
      hash_of_folder(key("")),         hash_of_name(key("sa", "cart")), hash_of_name(key("\xfe")),
      hash_of_name(key("a", "", "x")), hash_of_name(key("xa", "", "")), hash_of_name(key("\xff"))};
  EXPECT_EQ(all.size(), 12U);
}

TEST(Slots, ATableRemembersTheLastWriteOfEachSlot) {
  SlotTable table;
  const Slot last = slot_of(UINT64_MAX);
  EXPECT_EQ(table.last_write(last), kNoVersion);
  table.stamp(last, Version{7});
  EXPECT_EQ(table.last_write(last), Version{7});
  EXPECT_EQ(table.last_write(last - 1), kNoVersion);
  EXPECT_EQ(table.last_write(slot_of(0)), kNoVersion);
}

}  // namespace
}  // namespace carrel::store
