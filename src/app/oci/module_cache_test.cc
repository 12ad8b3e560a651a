#include "app/oci/module_cache.h"

#include <gtest/gtest.h>

#include "app/oci/reference.h"
#include "app/test_folder.h"

namespace carrel::oci {
namespace {

struct Fixture {
  app::TestFolder folder;
  ModuleCache cache{folder.path() / "oci"};
  const std::string bytes = "module", image = digest_of("image");

  CachedModule keep(std::vector<std::string> keys = {}) {
    auto file = cache.make();
    EXPECT_TRUE(file);
    EXPECT_TRUE(file->write(bytes));
    return cache.keep(std::move(*file), {.image = image, .module = digest_of(bytes)}, keys).value();
  }
};

TEST(ModuleCache, GivesWhatWasKept) {
  Fixture f;
  EXPECT_FALSE(f.cache.find(f.image));
  const CachedModule kept = f.keep({"a"});
  const auto found = f.cache.find(f.image);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->file, kept.file);
  EXPECT_EQ(found->module, digest_of(f.bytes));
  EXPECT_EQ(found->key_ids, std::vector<std::string>{"a"});
  EXPECT_FALSE(f.cache.find(digest_of("another")));
}

TEST(ModuleCache, WhatIsDamagedIsNotThere) {
  Fixture f;
  const CachedModule kept = f.keep();
  std::ofstream(kept.file) << "mine";
  EXPECT_FALSE(f.cache.find(f.image));
  f.keep();
  EXPECT_TRUE(f.cache.find(f.image));
  f.folder.write("oci/images/" + f.image.substr(7), R"({"module":"../../etc/passwd"})");
  EXPECT_FALSE(f.cache.find(f.image));
  f.keep();
  std::filesystem::remove_all(f.folder.path() / "oci/modules");
  EXPECT_FALSE(f.cache.find(f.image));
}

TEST(ModuleCache, NotesWhoHasSignedIt) {
  Fixture f;
  CachedModule kept = f.keep();
  kept.key_ids = {"a", "b"};
  ASSERT_TRUE(f.cache.note(f.image, kept));
  EXPECT_EQ(f.cache.find(f.image)->key_ids, kept.key_ids);
}

}  // namespace
}  // namespace carrel::oci
