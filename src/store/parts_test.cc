#include "store/parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "store/key.h"
#include "store/part_ledger.h"
#include "store/part_walk.h"
#include "store/record.h"

namespace carrel::store {
namespace {

class PartsTest : public testing::Test {
 protected:
  PartsTest() {
    std::string name = testing::TempDir() + "carrel-parts-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~PartsTest() override { std::filesystem::remove_all(folder_); }

  std::vector<PartFile> files() const {
    std::vector<PartFile> all;
    PartWalk walk(folder_);
    for (auto file = walk.next(); file && *file; file = walk.next()) all.push_back(**file);
    return all;
  }

  void overwrite(const std::string& bytes) {
    for (const auto& file : files()) std::ofstream(file.path) << bytes;
  }

  std::filesystem::path folder_;
  TenantName shop_{"shop"}, blog_{"../blog"};
};

TEST_F(PartsTest, WhatIsWrittenIsReadAndIsOneFileATenant) {
  Parts parts(folder_);
  PartHash hash = hash_of_part("hello");
  for (const TenantName& tenant : {shop_, shop_, blog_}) {
    auto pin = parts.pin(tenant, hash);
    ASSERT_TRUE(parts.write(tenant, hash, "hello"));
  }
  EXPECT_EQ(parts.read(shop_, hash).value(), "hello");
  const auto all = files();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_NE(all[0].tenant, all[1].tenant);
  EXPECT_TRUE(all[0].tenant == blog_ || all[1].tenant == blog_);
  EXPECT_EQ(all[0].name.hash, hash);
  EXPECT_EQ(all[0].bytes, 5u);
}

TEST_F(PartsTest, TheFirstPartMakesTheFolder) {
  Parts parts(folder_ / "parts");
  PartHash hash = hash_of_part("hello");
  auto pin = parts.pin(shop_, hash);
  ASSERT_TRUE(parts.write(shop_, hash, "hello"));
  EXPECT_EQ(parts.read(shop_, hash).value(), "hello");
}

TEST_F(PartsTest, APartOfOneTenantIsNotThereForAnother) {
  Parts parts(folder_);
  PartHash hash = hash_of_part("hello");
  auto pin = parts.pin(shop_, hash);
  ASSERT_TRUE(parts.write(shop_, hash, "hello"));
  EXPECT_EQ(parts.read(blog_, hash).error().code(), Code::not_found);
}

TEST_F(PartsTest, APinnedPartStaysUntilTheLastPinIsGone) {
  Parts parts(folder_);
  PartHash hash = hash_of_part("hello");
  auto first = parts.pin(shop_, hash);
  ASSERT_TRUE(parts.write(shop_, hash, "hello"));
  {
    auto second = parts.pin(shop_, hash);
    first = Parts::Pin();
    EXPECT_FALSE(parts.condemn(shop_, hash));
    EXPECT_FALSE(parts.remove(shop_, hash).value());
  }
  EXPECT_TRUE(parts.condemn(shop_, hash));
  EXPECT_TRUE(parts.remove(shop_, hash).value());
  EXPECT_EQ(parts.read(shop_, hash).error().code(), Code::not_found);
  EXPECT_TRUE(parts.condemn(shop_, hash));
  EXPECT_TRUE(parts.remove(shop_, hash).value()) << "nothing left to do";
}

TEST_F(PartsTest, APinSavesWhatIsCondemnedForGood) {
  Parts parts(folder_);
  const PartHash hash = hash_of_part("hello");
  auto pin = parts.pin(shop_, hash);
  ASSERT_TRUE(parts.write(shop_, hash, "hello"));
  pin = Parts::Pin();
  ASSERT_TRUE(parts.condemn(shop_, hash));
  pin = parts.pin(shop_, hash);
  EXPECT_FALSE(parts.remove(shop_, hash).value());
  pin = Parts::Pin();
  EXPECT_FALSE(parts.remove(shop_, hash).value());
  ASSERT_TRUE(parts.condemn(shop_, hash));
  parts.spare(shop_, hash);
  EXPECT_FALSE(parts.remove(shop_, hash).value());
  EXPECT_EQ(parts.read(shop_, hash).value(), "hello");
}

TEST_F(PartsTest, ADamagedPartIsNotReadAndIsReportedOnce) {
  int told = 0;
  Parts parts(folder_, [&](const Error&) { ++told; });
  const PartHash hash = hash_of_part("hello");
  const auto pin = parts.pin(shop_, hash);
  ASSERT_TRUE(parts.write(shop_, hash, "hello"));
  for (const std::string& damage : {std::string("jello"), std::string("hell"), std::string(),
                                    std::string(kPartBytes + 1, 'x')}) {
    overwrite(damage);
    EXPECT_EQ(parts.read(shop_, hash).error().code(), Code::data_corrupt);
    EXPECT_EQ(parts.read(shop_, hash).error().code(), Code::data_corrupt);
  }
  EXPECT_EQ(told, 1);
  EXPECT_EQ(parts.damaged(), 1u);
}

TEST_F(PartsTest, ALostPartIsReported) {
  int told = 0;
  Parts parts(folder_, [&](const Error&) { ++told; });
  EXPECT_EQ(parts.read(shop_, hash_of_part("hello")).error().code(), Code::not_found);
  EXPECT_EQ(told, 1);
}

TEST_F(PartsTest, WhoWritesADamagedPartMendsIt) {
  int told = 0;
  Parts parts(folder_, [&](const Error&) { ++told; });
  const PartHash hash = hash_of_part("hello");
  const auto pin = parts.pin(shop_, hash);
  ASSERT_TRUE(parts.write(shop_, hash, "hello"));
  EXPECT_EQ(told, 0) << "a part that is new is not lost";
  for (const char* damage : {"jello", "hell", ""}) {
    overwrite(damage);
    ASSERT_TRUE(parts.write(shop_, hash, "hello"));
    EXPECT_EQ(parts.read(shop_, hash).value(), "hello");
    EXPECT_EQ(parts.damaged(), 0u);
  }
  EXPECT_EQ(told, 3);
  EXPECT_EQ(files().size(), 1u);
}

TEST(Manifest, SurvivesEncodingAndIsCheckedForItsNumberOfParts) {
  BlobManifest manifest{kPartBytes + 1, {hash_of_part("a"), hash_of_part("b")}};
  std::string bytes = encode(manifest);
  EXPECT_EQ(decode_manifest(bytes)->parts, manifest.parts);
  EXPECT_EQ(decode_manifest(bytes)->size, manifest.size);
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(decode_manifest(bytes.substr(0, n)));
  bytes[0] = '\xff';
  EXPECT_FALSE(decode_manifest(bytes));
  EXPECT_TRUE(decode_manifest(encode(BlobManifest{})));
}

TEST(PartLedger, AgreesWithCountingAfterAnyChanges) {
  std::map<std::string, std::string> state;
  LedgerAccess access{[&](std::string_view key) -> Result<std::optional<std::string>> {
                        auto found = state.find(std::string(key));
                        if (found == state.end()) return std::nullopt;
                        return found->second;
                      },
                      [&](std::string key, std::optional<std::string> value) {
                        if (value) {
                          state[std::move(key)] = std::move(*value);
                        } else {
                          state.erase(key);
                        }
                      }};
  std::mt19937 random(7);
  std::vector<std::optional<std::string>> blobs(6);
  std::map<PartHash, int> ever;
  for (int step = 0; step < 2000; ++step) {
    std::optional<std::string> after;
    if (random() % 3 != 0) {
      BlobManifest manifest;
      manifest.parts.resize(random() % 5);
      manifest.size = manifest.parts.size() * kPartBytes;
      for (auto& hash : manifest.parts) {
        hash = hash_of_part(std::to_string(random() % 8));
        ever[hash];
      }
      after = encode(manifest);
    }
    auto& blob = blobs[random() % blobs.size()];
    ASSERT_TRUE(account_parts(access, "shop", blob, after, WallTime(std::chrono::seconds(step))));
    blob = after;

    for (auto& [hash, count] : ever) count = 0;
    for (const auto& b : blobs) {
      if (b) {
        for (const auto& hash : decode_manifest(*b)->parts) ++ever[hash];
      }
    }
    std::map<std::string, int> garbage;  // by hash
    for (const auto& [bytes, value] : state) {
      auto key = decode(bytes);
      if (key->kind == Kind::garbage) ++garbage[std::string(key->name.substr(8))];
    }
    for (const auto& [hash, count] : ever) {
      std::string name(hash.begin(), hash.end());
      auto entry = state.find(encode(Key{"shop", Kind::part, {}, name}));
      if (entry == state.end()) {  // only ever in a manifest that replaced itself
        EXPECT_EQ(count, 0);
        continue;
      }
      EXPECT_EQ(decode_count(entry->second.substr(0, 8)), count);
      EXPECT_EQ(garbage[name], count == 0 ? 1 : 0);
    }
  }
}

TEST(PartLedger, RefusesWhatIsDamaged) {
  LedgerAccess access{
      [](std::string_view) -> Result<std::optional<std::string>> { return std::string("x"); },
      [](std::string, std::optional<std::string>) { FAIL(); }};
  std::string manifest = encode(BlobManifest{1, {hash_of_part("a")}});
  EXPECT_EQ(account_parts(access, "shop", std::nullopt, "?", {}).error().code(),
            Code::data_corrupt);
  EXPECT_EQ(account_parts(access, "shop", std::nullopt, manifest, {}).error().code(),
            Code::data_corrupt);
}

}  // namespace
}  // namespace carrel::store
