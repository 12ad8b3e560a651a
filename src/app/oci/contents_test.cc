#include "app/oci/contents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "app/oci/reference.h"

namespace carrel::oci {
namespace {

using testing::HasSubstr;

constexpr std::string_view kGzipLayer = "application/vnd.oci.image.layer.v1.tar+gzip";

Descriptor layer(std::string_view type, std::string_view content = "x") {
  return {.media_type = std::string(type), .digest = digest_of(content), .size = 1};
}

Descriptor platform(std::string_view architecture, std::string_view os) {
  Descriptor entry = layer(kOciManifest, os);
  entry.architecture = architecture;
  entry.os = os;
  return entry;
}

TEST(Contents, TheOneRawLayerIsTakenWhateverStandsBesideIt) {
  for (const auto type : {kWasmLayer, kKubewardenLayer, kIstioLayer}) {
    const Image image{.config = {}, .layers = {layer("text/json", "c"), layer(type, "m")}};
    const auto contents = choose_layers(image, "");
    ASSERT_TRUE(contents);
    EXPECT_EQ(contents->packing, Packing::raw);
    EXPECT_EQ(contents->layers.at(0).digest, digest_of("m"));
  }
}

TEST(Contents, OfSeveralModulesOneMustBeNamed) {
  const Image image{.config = {}, .layers = {layer(kWasmLayer, "a"), layer(kKubewardenLayer, "b")}};
  EXPECT_THAT(choose_layers(image, "").error().message(), HasSubstr(digest_of("b")));
  EXPECT_EQ(choose_layers(image, digest_of("b"))->layers.at(0).digest, digest_of("b"));
  EXPECT_FALSE(choose_layers(image, digest_of("c")));
}

TEST(Contents, ArchivesAreLookedIntoFromTheLastToTheFirst) {
  const Image image{.config = {}, .layers = {layer(kGzipLayer, "a"), layer(kGzipLayer, "b")}};
  const auto contents = choose_layers(image, "");
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->packing, Packing::packed);
  EXPECT_EQ(contents->layers.at(0).digest, digest_of("b"));
  EXPECT_EQ(choose_layers({.config = {}, .layers = {layer("text/html")}}, "").error().code(),
            Code::invalid_module);
  EXPECT_FALSE(choose_layers({.config = {}, .layers = {}}, ""));
}

TEST(Contents, OfAnIndexWhatIsForWasmIsTaken) {
  EXPECT_EQ(choose_platform({{platform("amd64", "linux"), platform("wasm", "wasip2"),
                              platform("wasm", "wasip1")}})
                ->os,
            "wasip1");
  EXPECT_EQ(choose_platform({{platform("amd64", "linux"), platform("", "")}})->os, "");
  EXPECT_EQ(choose_platform({{platform("wasm32", "wasi"), platform("", "")}})->os, "wasi");
  EXPECT_FALSE(choose_platform({{platform("amd64", "linux"), platform("arm64", "linux")}}));
  EXPECT_FALSE(choose_platform({}));
}

std::string member(std::string name, std::string_view content, char type = '0') {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  char size[13];
  std::snprintf(size, sizeof size, "%011zo", content.size());
  header.replace(124, 11, size);
  header[156] = type;
  header.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::snprintf(size, sizeof size, "%06o", sum);
  header.replace(148, 7, std::string(size, 7));
  std::string all = header + std::string(content);
  all.resize((all.size() + 511) / 512 * 512);
  return all;
}

std::string gzip(std::string_view bytes) {
  std::string out(compressBound(bytes.size()) + 64, '\0');
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

const std::string kEnd(1024, '\0');
Result<std::string> unpack(std::string_view archive, std::size_t most) {
  std::uint64_t left = kMaxUnpacked;
  return unpack_module(archive, most, &left);
}
constexpr std::size_t kMost = 1 << 20;

TEST(Unpack, FindsTheModuleInAnArchive) {
  const std::string tar = member("./etc/", "", '5') + member("etc/a.txt", "no") +
                          member("app/thing.wasm", "module") + kEnd;
  EXPECT_EQ(unpack(tar, kMost), "module");
  EXPECT_EQ(unpack(gzip(tar), kMost), "module");
  const std::string half = tar.substr(0, 1000);
  EXPECT_EQ(unpack(gzip(half) + gzip(tar.substr(1000)), kMost), "module");
  EXPECT_EQ(unpack(member("a.txt", "x") + kEnd, kMost), "");
  EXPECT_EQ(unpack("", kMost), "");
}

TEST(Unpack, PluginWasmGoesBeforeOthers) {
  const std::string plugin = member("plugin.wasm", "plugin"), other = member("b.wasm", "other");
  EXPECT_EQ(unpack(plugin + other + kEnd, kMost), "plugin");
  EXPECT_EQ(unpack(other + plugin + other + kEnd, kMost), "plugin");
  EXPECT_FALSE(unpack(other + member("c.wasm", "x") + kEnd, kMost));
  EXPECT_FALSE(unpack(plugin + plugin + kEnd, kMost));
}

TEST(Unpack, ALinkIsNoModule) {
  EXPECT_EQ(unpack(member("plugin.wasm", "", '2') + kEnd, kMost), "");
  EXPECT_EQ(unpack(member("plugin.wasm", "", '1') + kEnd, kMost), "");
}

TEST(Unpack, DamageIsAnError) {
  const std::string tar = member("a.wasm", "module") + kEnd;
  std::string wrong = tar;
  wrong[0] = 'b';
  for (const std::string& text :
       {tar.substr(0, 100), tar.substr(0, 514), wrong, gzip(tar).substr(0, 40), "\x1f\x8b" + tar}) {
    const auto module = unpack(text, kMost);
    ASSERT_FALSE(module);
    EXPECT_EQ(module.error().code(), Code::invalid_module);
  }
}

TEST(Unpack, ABombIsNotUnpacked) {
  EXPECT_EQ(unpack(member("a.wasm", std::string(2000, 'x')), 1999).error().code(),
            Code::module_too_large);
  const std::string zeros = gzip(member("a.txt", std::string(64 << 20, 'x')));
  std::string bomb;
  for (int i = 0; i < 20; ++i) bomb += zeros;
  EXPECT_EQ(unpack(bomb, kMost).error().code(), Code::module_too_large);
}

TEST(Unpack, ManyLayersHaveOneLimit) {
  const std::string layer = gzip(member("a.txt", std::string(4000, 'x')) + kEnd);
  std::uint64_t left = 12'000;
  EXPECT_EQ(unpack_module(layer, kMost, &left), "");
  EXPECT_EQ(unpack_module(layer, kMost, &left), "");
  EXPECT_EQ(unpack_module(layer, kMost, &left).error().code(), Code::module_too_large);
}

}  // namespace
}  // namespace carrel::oci
