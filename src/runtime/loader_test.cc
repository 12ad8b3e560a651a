#include "runtime/loader.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "async/shared_task.h"
#include "runtime/runtime.h"

namespace carrel::runtime {
namespace {

namespace fs = std::filesystem;
using Loaded = std::optional<Result<std::shared_ptr<const wasm::Module>>>;

constexpr std::string_view kModule =
    R"((module (memory (export "memory") 1) (func (export "_start"))))";

class Loading : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "carrel-loader-XXXXXX";
    folder = mkdtemp(pattern.data());
    auto engine = *wasm::Engine::make({.slots = 4});
    auto cache = *wasm::CodeCache::open(engine, {.folder = folder / "code"});
    loader = std::make_unique<Loader>(engine, cache, 1);
    write(kModule);
  }
  void TearDown() override {
    loader.reset();
    fs::remove_all(folder);
  }
  void write(std::string_view text) { std::ofstream(folder / "a.wasm") << text; }
  std::shared_ptr<const Program> program() {
    auto checked = loader->check(folder / "a.wasm");
    EXPECT_TRUE(checked) << checked.error().describe();
    return *checked;
  }
  void forget_code() {
    for (const auto& entry : fs::directory_iterator(folder / "code")) {
      if (entry.path().extension() == ".cwasm") fs::remove(entry.path());
    }
  }

  fs::path folder;
  std::unique_ptr<Loader> loader;
};

async::Task<void> load(Loader& loader, async::Shard& shard, std::shared_ptr<const Program> program,
                       Loaded* out) {
  out->emplace(co_await loader.load(shard, std::move(program)));
}

async::Task<void> load_three(Loader& loader, async::Shard& shard,
                             std::shared_ptr<const Program> program, Loaded* out) {
  async::SharedTask first, second;
  first.begin(load(loader, shard, program, &out[0]));
  second.begin(load(loader, shard, program, &out[1]));
  co_await load(loader, shard, program, &out[2]);
  co_await async::SharedTask::end_of(&first);
  co_await async::SharedTask::end_of(&second);
}

TEST_F(Loading, GivesAllThatWaitForAProgramTheSameModule) {
  async::Shard shard;
  const auto checked = program();
  Loaded loaded[3];
  shard.run_until_done(load_three(*loader, shard, checked, loaded));
  for (const Loaded& one : loaded) {
    ASSERT_TRUE(one && *one);
    EXPECT_EQ(**one, *loaded[0]);
  }
}

TEST_F(Loading, SaysThatAFileHasChangedSinceItWasChecked) {
  async::Shard shard;
  const auto checked = program();
  forget_code();
  write("(module)");
  Loaded loaded;
  shard.run_until_done(load(*loader, shard, checked, &loaded));
  ASSERT_FALSE(*loaded);
  EXPECT_EQ(loaded->error().code(), Code::unavailable);
}

TEST_F(Loading, SendsNothingToAShardThatIsGone) {
  const auto checked = program();
  forget_code();
  Loaded loaded;
  {
    async::Shard shard;
    auto waiting = load(*loader, shard, checked, &loaded);
    waiting.start();
  }
  loader.reset();  // joins the worker that compiled meanwhile
  EXPECT_FALSE(loaded.has_value());
}

TEST_F(Loading, RefusesWhatTakesMorePlacesThanATenantHas) {
  std::string text = "(component (core module $m (memory 1))";
  for (int i = 0; i < 4; ++i) text += "(core instance (instantiate $m))";
  text += R"((core module $r (func (export "run") (result i32) i32.const 0))
    (core instance $i (instantiate $r))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.3" (instance $exports))))";
  write(text);
  EXPECT_EQ(program()->places, 2u);
  auto cache = *wasm::CodeCache::open(loader->engine(), {.folder = folder / "code"});
  Loader small(loader->engine(), std::move(cache), 1, 1);
  const auto refused = small.check(folder / "a.wasm");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::module_too_large);
  EXPECT_TRUE(refused.error().message().contains("takes 2 places"));
}

TEST(Limits, KeepTheMappingsOfAllShardsWithinTheKernelsBound) {
  const wasm::EngineSettings engine;
  EXPECT_EQ(limits_for(engine, 1).modules, 5000u);
  for (const unsigned shards : {1U, 8U, 64U, 256U})
    EXPECT_LE(limits_for(engine, shards).modules * shards, 10'000u);
}

}  // namespace
}  // namespace carrel::runtime
