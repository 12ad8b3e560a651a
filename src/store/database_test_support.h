// A database in a folder of its own, for tests.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <iterator>

#include "store/database.h"

namespace carrel::store {

class DatabaseFixture : public testing::Test {
 protected:
  DatabaseFixture() {
    std::string name = (std::filesystem::temp_directory_path() / "carrel-store-XXXXXX").string();
    folder = std::filesystem::path(mkdtemp(name.data())) / "store";
    options.folder = folder;
    options.cache_bytes = 8 << 20;
  }
  ~DatabaseFixture() override {
    database.reset();
    std::filesystem::remove_all(folder.parent_path());
  }

  void open() {
    auto opened = Database::open(options);
    ASSERT_TRUE(opened) << opened.error().describe();
    database = *opened;
  }
  void reopen() {
    database.reset();
    open();
  }
  Result<void> try_put(std::string_view key, std::string_view value) {
    WriteSet writes;
    writes.put(key, value);
    return database->write(writes);
  }
  void put(std::string_view key, std::string_view value) {
    const auto put = try_put(key, value);
    ASSERT_TRUE(put) << put.error().describe();
  }
  std::optional<std::string> get(std::string_view key) {
    auto got = database->get(key);
    EXPECT_TRUE(got) << got.error().describe();
    return got ? *got : std::nullopt;
  }

  static std::string name(int i) { return "key" + std::to_string(1'000'000 + i); }
  static std::string value(int i) { return std::string(100, 'a') + std::to_string(i); }
  void fill(int count) {
    for (int i = 0; i < count; ++i) put(name(i), value(i));
  }
  void checkpoint_to(const std::filesystem::path& target) {
    const auto made = database->checkpoint(target);
    ASSERT_TRUE(made) << made.error().describe();
  }

  static std::string read_text(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void write_text(const std::filesystem::path& file, std::string_view text) {
    std::ofstream(file, std::ios::binary) << text;
  }
  // The only file of a kind in the database's folder, or the largest.
  static std::filesystem::path largest(const std::filesystem::path& in, std::string_view kind) {
    std::filesystem::path found;
    for (const auto& entry : std::filesystem::directory_iterator(in / "db")) {
      if (entry.path().extension() != kind) continue;
      if (found.empty() || entry.file_size() > file_size(found)) found = entry.path();
    }
    return found;
  }

  std::filesystem::path folder;
  DatabaseOptions options;
  std::shared_ptr<Database> database;
};

}  // namespace carrel::store
