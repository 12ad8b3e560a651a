#include "store/part_list.h"

#include <gtest/gtest.h>

namespace carrel::store {
namespace {

PartHash part(std::uint8_t which) {
  PartHash hash{};
  hash.fill(which);
  return hash;
}

TEST(PartList, AVersionsPartsAndTheRestComeBackAsTheyWere) {
  const std::vector<PartUse> parts = {{part(1), 5}, {part(0xff), kPartBytes}};
  const std::string bytes = encode_version(parts, "{}");
  const auto decoded = decode_version(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->parts, parts);
  EXPECT_EQ(decoded->rest, "{}");
  EXPECT_EQ(parts_of(Kind::version, bytes), parts);
}

TEST(PartList, AVersionThatIsCutShortIsDamaged) {
  const std::string bytes = encode_version({{part(1), 5}}, "");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_version(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_version("\xff\xff\xff\xff"));
}

TEST(PartList, ABlobsLastPartHasWhatIsLeft) {
  const auto bytes = encode(BlobManifest{.size = kPartBytes + 3, .parts = {part(1), part(2)}});
  const std::vector<PartUse> parts = {{part(1), kPartBytes}, {part(2), 3}};
  EXPECT_EQ(parts_of(Kind::blob, bytes), parts);
  EXPECT_FALSE(parts_of(Kind::blob, "?"));
}

}  // namespace
}  // namespace carrel::store
