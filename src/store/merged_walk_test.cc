#include "store/merged_walk.h"

#include "store/database_test_support.h"
#include "store/key.h"
#include "store/record.h"

namespace carrel::store {
namespace {

class MergedWalkTest : public DatabaseFixture {
 protected:
  void SetUp() override { open(); }
  static std::string prefix(std::string_view store) {
    return prefix_of("shop", Kind::value, store);
  }
  void store(std::string_view name, std::uint64_t expires = 0) {
    put(prefix("s") + std::string(name), encode(Record{.bytes = "12", .expires = expires}));
  }
  std::vector<std::string> names(std::vector<OwnName> own, std::string_view from = "") {
    MergedWalk walk(database->view(), prefix("s"), std::move(own), 100, Reach::disk);
    std::vector<std::string> found;
    auto state = walk.seek(from);
    for (; state == Cursor::State::valid; state = walk.next()) found.push_back(walk.name());
    EXPECT_EQ(state, Cursor::State::end);
    return found;
  }
  using Names = std::vector<std::string>;
};

TEST_F(MergedWalkTest, OwnNamesComeInOrderAmongTheStoredAndHideThem) {
  store("b");
  store("d");
  store("e");
  EXPECT_EQ(names({{"a", true}, {"b", true}, {"c", true}, {"d", false}, {"f", true}}),
            (Names{"a", "b", "c", "e", "f"}));
  EXPECT_EQ(names({{"a", true}, {"e", false}}, "b"), (Names{"b", "d"}));
  EXPECT_EQ(names({{"b", false}, {"d", false}, {"e", false}}), Names{});
}

TEST_F(MergedWalkTest, NamesThatHaveExpiredAreLeftOutOnBothSides) {
  store("a", 100);
  store("b", 101);
  store("c", 50);
  EXPECT_EQ(names({{"c", true, 1, 101}, {"d", true, 1, 100}}), (Names{"b", "c"}));
  EXPECT_EQ(names({{"b", true, 1, 100}}), Names{});
}

TEST_F(MergedWalkTest, HostileNamesSortByTheirBytesAndOtherStoresAreNotSeen) {
  const std::string nul("a\0", 2), high("\xff\xff", 2);
  store("a");
  store(high);
  put(prefix("t") + "x", "?");
  put(prefix("r") + "x", "?");
  EXPECT_EQ(names({{nul, true}, {"a\x01", true}}), (Names{"a", nul, "a\x01", high}));
  EXPECT_EQ(names({{high, false}}, high), Names{});
}

TEST_F(MergedWalkTest, ADamagedRecordEndsTheWalkUnlessItIsHidden) {
  put(prefix("s") + "a", "");
  EXPECT_EQ(names({{"a", true}}), Names{"a"});
  MergedWalk walk(database->view(), prefix("s"), {}, 100, Reach::disk);
  EXPECT_EQ(walk.seek(""), Cursor::State::failed);
  EXPECT_EQ(walk.error().code(), Code::data_corrupt);
}

}  // namespace
}  // namespace carrel::store
