#include "app/deployment/pack.h"

#include <gtest/gtest.h>

#include "app/deployment/unpack.h"
#include "app/test_folder.h"
#include "base/files.h"

namespace carrel::deployment {
namespace {

namespace fs = std::filesystem;

const TenantName kTenant("acme");

class Packing : public ::testing::Test {
 protected:
  Packing() {
    folder.write("app/carrel.toml", R"([app]
name = "shop"
[module.price]
source = "build/price.wasm"
[[function]]
route = "GET /price"
module = "price"
[[static]]
route = "/static/*"
folder = "public"
)");
    folder.write("app/build/price.wasm", std::string(store::kPartBytes + 5, 'w'));
    folder.write("app/public/empty.txt", "");
    folder.write("app/public/deep/page.html", "<p>");
    folder.write("app/assets/rates.json", "{}");
    folder.write("app/src/price.c", "not part of it");
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    const auto packed = pack(app);
    EXPECT_TRUE(packed) << packed.error().message();
    if (!packed) return {};
    for (const auto& file : packed->bundle.files) names.push_back(file.path);
    return names;
  }
  void upload(const Bundle& bundle) {
    for (const BundleFile& file : bundle.files) {
      for (std::size_t i = 0; i < file.parts.size(); ++i) {
        const auto bytes = read_part(app, file, i);
        ASSERT_TRUE(bytes) << bytes.error().message();
        const auto pin = parts.pin(kTenant, file.parts[i]);
        ASSERT_TRUE(parts.write(kTenant, file.parts[i], *bytes));
      }
    }
  }
  std::string unpacked(const std::string& name) const {
    return read_file(target / name, 8 << 20).value_or("?");
  }

  app::TestFolder folder;
  const fs::path app = folder.path() / "app";
  const fs::path target = folder.path() / "versions/one";
  store::Parts parts{folder.path() / "parts"};
};

TEST_F(Packing, TakesWhatTheManifestUses) {
  EXPECT_EQ(names(),
            (std::vector<std::string>{"assets/rates.json", "build/price.wasm", "carrel.toml",
                                      "public/deep/page.html", "public/empty.txt"}));
}

TEST_F(Packing, WhatIsPackedAndUploadedIsUnpackedAsItWas) {
  const auto packed = pack(app);
  ASSERT_TRUE(packed);
  EXPECT_EQ(missing_parts(parts, kTenant, packed->bundle).size(), 5U);
  upload(packed->bundle);
  EXPECT_TRUE(missing_parts(parts, kTenant, packed->bundle).empty());
  EXPECT_FALSE(missing_parts(parts, TenantName("other"), packed->bundle).empty());
  ASSERT_TRUE(unpack(parts, kTenant, packed->bundle, target));
  EXPECT_EQ(unpacked("build/price.wasm"), std::string(store::kPartBytes + 5, 'w'));
  EXPECT_EQ(unpacked("public/deep/page.html"), "<p>");
  EXPECT_EQ(unpacked("public/empty.txt"), "");
  const auto again = pack(target);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->bundle.digest(), packed->bundle.digest());
}

TEST_F(Packing, AFolderThatLostAFileIsMadeAgain) {
  const auto packed = pack(app);
  upload(packed->bundle);
  ASSERT_TRUE(unpack(parts, kTenant, packed->bundle, target));
  fs::resize_file(target / "build/price.wasm", 7);
  ASSERT_TRUE(unpack(parts, kTenant, packed->bundle, target));
  EXPECT_EQ(unpacked("build/price.wasm").size(), store::kPartBytes + 5);
}

TEST_F(Packing, PartsThatDoNotMakeTheFileAreRefused) {
  auto packed = pack(app);
  upload(packed->bundle);
  for (BundleFile& file : packed->bundle.files) {
    if (file.path == "build/price.wasm") file.digest.fill(1);
  }
  EXPECT_EQ(unpack(parts, kTenant, packed->bundle, target).error().code(), Code::invalid_argument);
  EXPECT_FALSE(fs::exists(target));
  packed = pack(app);
  for (BundleFile& file : packed->bundle.files) {
    if (file.path == "assets/rates.json") file.size = 1;
  }
  EXPECT_EQ(unpack(parts, kTenant, packed->bundle, target).error().code(), Code::invalid_argument);
  EXPECT_FALSE(fs::exists(target));
}

TEST_F(Packing, ALinkCountsAsWhatItLeadsToAndMustStayInside) {
  fs::create_symlink("page.html", app / "public/deep/index.html");
  EXPECT_EQ(names().size(), 6U);
  fs::create_symlink("/etc/passwd", app / "public/secret");
  const auto packed = pack(app);
  ASSERT_FALSE(packed);
  EXPECT_EQ(packed.error().code(), Code::invalid_argument);
  EXPECT_NE(packed.error().message().find("leads out of the app's folder"), std::string::npos);
}

TEST_F(Packing, LinksInACircleEnd) {
  fs::create_directory_symlink("..", app / "public/deep/up");
  EXPECT_FALSE(pack(app));
}

TEST_F(Packing, AFileThatChangedMeanwhileIsNotSent) {
  const auto packed = pack(app);
  folder.write("app/assets/rates.json", "[]");
  const auto* file = packed->bundle.find("assets/rates.json");
  EXPECT_EQ(read_part(app, *file, 0).error().code(), Code::unavailable);
}

}  // namespace
}  // namespace carrel::deployment
