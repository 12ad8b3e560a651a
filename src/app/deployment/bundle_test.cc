#include "app/deployment/bundle.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace carrel::deployment {
namespace {

using Json = nlohmann::json;

const std::string kHash(64, 'a');

Json file(const std::string& path, std::uint64_t size = 3) {
  return {{"path", path}, {"size", size}, {"sha256", kHash}};
}

std::string refusal(const Json& files) {
  const auto bundle = read_bundle(files);
  return bundle ? "" : bundle.error().message();
}

TEST(Bundle, IsTheSameWhateverTheOrderOfItsFiles) {
  const auto one = read_bundle({file("carrel.toml"), file("a/b.wasm")});
  const auto other = read_bundle({file("a/b.wasm"), file("carrel.toml")});
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->digest(), other->digest());
  EXPECT_NE(one->digest(), read_bundle({file("carrel.toml"), file("a/c.wasm")})->digest());
  EXPECT_EQ(read_bundle(to_json(*one))->files, one->files);
}

TEST(Bundle, KnowsThePartsOfShortEmptyAndLongFiles) {
  Json large = file("large", store::kPartBytes + 1);
  large["parts"] = {kHash, std::string(64, 'b')};
  const auto bundle = read_bundle({file("carrel.toml"), file("empty", 0), large});
  ASSERT_TRUE(bundle) << bundle.error().message();
  EXPECT_EQ(bundle->find("carrel.toml")->parts.size(), 1U);
  EXPECT_EQ(bundle->find("empty")->parts.size(), 0U);
  EXPECT_EQ(bundle->find("large")->parts.size(), 2U);
  EXPECT_EQ(read_bundle(to_json(*bundle))->files, bundle->files);
}

TEST(Bundle, NoPathLeavesTheFolder) {
  for (const std::string path : {"", "/etc/passwd", "../x", "a/../../x", "a/..", ".", "a//b", "a/",
                                 "a\\b", "a\nb", "\xff"}) {
    EXPECT_FALSE(check_path(path)) << path;
    EXPECT_FALSE(read_bundle({file("carrel.toml"), file("x/" + path)})) << path;
  }
  EXPECT_FALSE(check_path(std::string(kMaxPath + 1, 'a')));
  EXPECT_FALSE(check_path(std::string(256, 'a')));
  EXPECT_FALSE(check_path(std::string("a\0b", 3)));
  for (const std::string path : {"a", "a/b", "...", ".well-known/x", "a b", "\xc3\xa4"}) {
    EXPECT_TRUE(check_path(path)) << path;
  }
}

TEST(Bundle, NobodyBringsWhatTheServerFetches) {
  for (const std::string path : {".carrel", ".carrel/modules/a.wasm", ".carrel/x"}) {
    EXPECT_NE(refusal({file("carrel.toml"), file(path)}), "") << path;
    EXPECT_TRUE(read_settled({file("carrel.toml"), file(path)})) << path;
  }
  EXPECT_EQ(refusal({file("carrel.toml"), file(".carrelx"), file("a/.carrel")}), "");
}

TEST(Bundle, SaysWhatIsWrong) {
  EXPECT_EQ(refusal("x"), "\"files\" is an array");
  EXPECT_EQ(refusal(Json::array()), "there is no carrel.toml among the files");
  EXPECT_EQ(refusal({file("carrel.toml"), file("carrel.toml")}), "\"carrel.toml\" is there twice");
  EXPECT_EQ(refusal({file("carrel.toml"), file("a"), file("a/b")}),
            "\"a\" is a file, and a folder for \"a/b\"");
  EXPECT_EQ(refusal(Json::array({file("carrel.toml", kMaxFile + 1)})),
            "\"carrel.toml\" has 67108865 bytes; a file has at most 67108864");
  EXPECT_EQ(refusal(Json::array({file("large", kMaxFile)})),
            "\"large\": 64 parts are needed for 67108864 bytes");
  Json parts = file("a");
  parts["parts"] = {kHash};
  EXPECT_EQ(refusal(Json::array({parts})), "\"a\" is one part: leave out \"parts\"");
  Json unknown = file("a");
  unknown["mode"] = 0;
  EXPECT_NE(refusal(Json::array({unknown})), "");
  Json upper = file("a");
  upper["sha256"] = std::string(64, 'A');
  EXPECT_EQ(refusal(Json::array({upper})), "a SHA-256 is written as 64 of 0-9 and a-f");
  for (const Json& odd : {Json(1), Json::object(), Json({{"path", 1}}), Json(nullptr)}) {
    EXPECT_NE(refusal(Json::array({odd})), "") << odd.dump();
  }
}

TEST(Bundle, IsBoundedInAll) {
  Json files = Json::array({file("carrel.toml")});
  for (int i = 0; i < 5; ++i) {
    Json large = file("f" + std::to_string(i), kMaxFile);
    for (int part = 0; part < 64; ++part) large["parts"].push_back(kHash);
    files.push_back(large);
  }
  EXPECT_EQ(refusal(files), "335544323 bytes in all; an app has at most 268435456");
}

}  // namespace
}  // namespace carrel::deployment
