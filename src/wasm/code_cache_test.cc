#include "wasm/code_cache.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/digest.h"
#include "wasm/test_room.h"

namespace carrel::wasm {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::small_engine;

constexpr std::string_view kModule = R"((module (func (export "run"))))";
constexpr std::string_view kOther = R"((module (func (export "other"))))";

class Cache : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "carrel-cache-XXXXXX";
    folder = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(folder); }

  std::shared_ptr<CodeCache> open(CompileOptions compile = {}, std::uint64_t max_bytes = 0) {
    auto cache = CodeCache::open(
        engine, {.folder = folder, .max_bytes = max_bytes, .compile = std::move(compile)});
    EXPECT_TRUE(cache) << cache.error().describe();
    return *cache;
  }
  // A cache that holds kModule.
  std::shared_ptr<CodeCache> filled() {
    auto cache = open();
    auto module = cache->compile(digest, bytes_of(kModule));
    EXPECT_TRUE(module) << module.error().describe();
    EXPECT_TRUE(cache->find(digest));
    return cache;
  }
  void flip(const fs::path& file, std::streamoff at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(at);
    const char byte = static_cast<char>(stream.get());
    stream.seekp(at);
    stream.put(static_cast<char>(byte ^ 1));
  }

  fs::path folder;
  std::shared_ptr<Engine> engine = *Engine::make(small_engine());
  std::string digest = sha256_hex(kModule);
};

TEST_F(Cache, MissesWhatWasNeverCompiled) { EXPECT_FALSE(open()->find(digest)); }

TEST_F(Cache, RefusesNamesThatAreNoDigests) {
  auto cache = open();
  EXPECT_FALSE(cache->find("../../etc/passwd"));
  EXPECT_FALSE(cache->compile("../x", bytes_of(kModule)));
}

TEST_F(Cache, HitsWithoutCompiling) {
  filled();
  auto cache = open({.program = "/nonexistent"});
  auto module = cache->find(digest);
  ASSERT_TRUE(module);
  EXPECT_EQ(module->exports()[0].name, "run");
}

TEST_F(Cache, MissesAnEntryWithAnyByteChangedAndReplacesIt) {
  auto cache = filled();
  const fs::path entry = cache->entry(digest);
  const auto size = static_cast<std::streamoff>(fs::file_size(entry));
  for (const std::streamoff at : {std::streamoff{0}, size / 2, size - 33, size - 32, size - 1}) {
    flip(entry, at);
    EXPECT_FALSE(cache->find(digest)) << at;
    ASSERT_TRUE(cache->compile(digest, bytes_of(kModule)));
    EXPECT_TRUE(cache->find(digest)) << at;
  }
}

TEST_F(Cache, MissesATruncatedEntry) {
  auto cache = filled();
  const fs::path entry = cache->entry(digest);
  for (const std::uintmax_t size :
       {fs::file_size(entry) - 1, std::uintmax_t{100}, std::uintmax_t{32}, std::uintmax_t{0}}) {
    fs::resize_file(entry, size);
    EXPECT_FALSE(cache->find(digest)) << size;
  }
}

TEST_F(Cache, MissesAnotherModulesEntryUnderThisName) {
  auto cache = filled();
  const std::string other = sha256_hex(kOther);
  ASSERT_TRUE(cache->compile(other, bytes_of(kOther)));
  fs::rename(cache->entry(other), cache->entry(digest));
  EXPECT_FALSE(cache->find(digest));
}

TEST_F(Cache, MissesAnEntryMadeUnderAnotherKey) {
  filled();
  fs::remove(folder / "node.key");
  EXPECT_FALSE(open()->find(digest));
}

TEST_F(Cache, MissesAnEntryThatIsALink) {
  auto cache = filled();
  const fs::path entry = cache->entry(digest);
  fs::rename(entry, folder / "elsewhere");
  fs::create_symlink(folder / "elsewhere", entry);
  EXPECT_FALSE(cache->find(digest));
}

TEST_F(Cache, MissesCodeOfAnotherEngine) {
  filled();
  EngineSettings settings = small_engine();
  settings.memory_guard *= 2;
  engine = *Engine::make(settings);
  EXPECT_FALSE(open()->find(digest));
}

TEST_F(Cache, RefusesAKeyThatOthersMayRead) {
  filled();
  fs::permissions(folder / "node.key", fs::perms::group_read, fs::perm_options::add);
  auto cache = CodeCache::open(engine, {.folder = folder});
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error().code(), Code::permission_denied);
}

TEST_F(Cache, RefusesAFolderThatOthersMayEnter) {
  fs::permissions(folder, fs::perms::others_exec, fs::perm_options::add);
  EXPECT_FALSE(CodeCache::open(engine, {.folder = folder}));
}

TEST_F(Cache, MakesItsFolderAndKeyForThisUserOnly) {
  auto cache = CodeCache::open(engine, {.folder = folder / "a" / "b"});
  ASSERT_TRUE(cache) << cache.error().describe();
  struct stat status{};
  ASSERT_EQ(stat((folder / "a" / "b").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  ASSERT_EQ(stat((folder / "a" / "b" / "node.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(Cache, PassesOnWhyAModuleIsRefusedAndKeepsNothing) {
  auto cache = open();
  auto module = cache->compile(digest, bytes_of("(module"));
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().code(), Code::invalid_module);
  EXPECT_FALSE(fs::exists(cache->entry(digest)));
}

TEST_F(Cache, RunsAModuleThatCannotBeKept) {
  auto cache = open();
  fs::create_directories(cache->entry(digest) / "in the way");
  auto module = cache->compile(digest, bytes_of(kModule));
  ASSERT_TRUE(module) << module.error().describe();
  EXPECT_EQ((*module)->exports()[0].name, "run");
}

TEST_F(Cache, LetsGoWhatWasUsedLongestAgo) {
  auto cache = filled();
  const auto size = fs::file_size(cache->entry(digest));
  fs::last_write_time(cache->entry(digest),
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  auto bounded = open({}, size + size / 2);
  const std::string other = sha256_hex(kOther);
  ASSERT_TRUE(bounded->compile(other, bytes_of(kOther)));
  EXPECT_FALSE(bounded->find(digest));
  EXPECT_TRUE(bounded->find(other));

  fs::last_write_time(cache->entry(other),
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  ASSERT_TRUE(bounded->compile(digest, bytes_of(kModule)));
  EXPECT_FALSE(bounded->find(other));
  EXPECT_TRUE(bounded->find(digest));
}

TEST_F(Cache, LeavesNoDraftsBehind) {
  filled();
  for (const auto& item : fs::directory_iterator(folder))
    EXPECT_NE(item.path().extension(), ".draft");
}

}  // namespace
}  // namespace carrel::wasm
