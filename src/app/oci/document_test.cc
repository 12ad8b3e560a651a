#include "app/oci/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/oci/reference.h"

namespace carrel::oci {
namespace {

using testing::HasSubstr;

std::string descriptor(std::string_view type, std::string_view more = "") {
  return R"({"mediaType":")" + std::string(type) + R"(","size":7,"digest":")" + digest_of(type) +
         R"(")" + std::string(more) + "}";
}

std::string image(std::string_view layers, std::string_view more = "") {
  return R"({"schemaVersion":2,"config":)" + descriptor("c") + R"(,"layers":)" +
         std::string(layers) + std::string(more) + "}";
}

TEST(Documents, AnImageHasItsConfigAndLayers) {
  const auto read = parse_document(
      image("[" + descriptor("application/wasm", R"(,"annotations":{"a":"b","n":1})") + "]"),
      std::string(kOciManifest) + "; charset=utf-8");
  ASSERT_TRUE(read) << read.error().message();
  const auto& found = std::get<Image>(*read);
  EXPECT_EQ(found.config.media_type, "c");
  ASSERT_EQ(found.layers.size(), 1U);
  EXPECT_EQ(found.layers[0].size, 7U);
  EXPECT_EQ(found.layers[0].annotation("a"), "b");
  EXPECT_EQ(found.layers[0].annotation("n"), "");
  const auto again = parse_document(write_image(found), "");
  ASSERT_TRUE(again);
  EXPECT_EQ(std::get<Image>(*again).layers[0].digest, found.layers[0].digest);
  EXPECT_EQ(std::get<Image>(*again).layers[0].annotation("a"), "b");
}

TEST(Documents, AnIndexNamesPlatforms) {
  const auto read = parse_document(
      R"({"schemaVersion":2,"mediaType":")" + std::string(kDockerIndex) + R"(","manifests":[)" +
          descriptor("m", R"(,"platform":{"architecture":"wasm","os":"wasip1"})") + "]}",
      "text/plain");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(std::get<Index>(*read).manifests[0].architecture, "wasm");
  EXPECT_EQ(std::get<Index>(*read).manifests[0].os, "wasip1");
}

TEST(Documents, WhatIsNoneIsRefusedWithItsReason) {
  const std::string type(kOciManifest);
  const std::pair<std::string, std::string> refused[] = {
      {"", "no JSON object"},
      {"[]", "no JSON object"},
      {std::string(100'000, '['), "no JSON object"},
      {R"({"schemaVersion":1})", "schemaVersion"},
      {R"({"schemaVersion":"2"})", "schemaVersion"},
      {R"({"schemaVersion":2})", "no `config`"},
      {image("{}"), "no `layers`"},
      {image("[1]"), "no object"},
      {image(R"([{"mediaType":"x","size":1,"digest":"sha256:0"}])"), "not SHA-256"},
      {image(R"([{"mediaType":"x","size":-1,"digest":")" + digest_of("") + R"("}])"), "size"},
      {image(R"([{"mediaType":"x","size":1e30,"digest":")" + digest_of("") + R"("}])"), "size"},
      {image("[]", R"(,"manifests":[])"), "both"},
      {image("[]", R"(,"mediaType":"text/html")"), "text/html"}};
  for (const auto& [text, reason] : refused) {
    const auto read = parse_document(text, type);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), Code::registry_failed);
    EXPECT_THAT(read.error().message(), HasSubstr(reason)) << text.substr(0, 80);
  }
  std::string many = "[" + descriptor("x");
  for (int i = 0; i < 300; ++i) many += "," + descriptor("x");
  EXPECT_FALSE(parse_document(image(many + "]"), type));
  EXPECT_FALSE(parse_document(std::string(5 << 20, ' '), type));
}

}  // namespace
}  // namespace carrel::oci
