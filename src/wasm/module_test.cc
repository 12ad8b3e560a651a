#include "wasm/module.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include "wasm/test_room.h"

namespace carrel::wasm {
namespace {

using testing::bytes_of;
using ::testing::HasSubstr;
using testing::small_engine;

TEST(Module, TellsWhatAFileIs) {
  const auto kind = [](std::string_view bytes) { return binary_kind(bytes_of(bytes)); };
  EXPECT_EQ(kind(""), Binary::unknown);
  EXPECT_EQ(kind(std::string_view("\0asm", 4)), Binary::unknown);
  EXPECT_EQ(kind(std::string_view("\0asm\2\0\0\0", 8)), Binary::unknown);
  EXPECT_EQ(kind(std::string_view("\0asm\1\0\0\0", 8)), Binary::core_module);
  EXPECT_EQ(kind(std::string_view("\0asm\x0d\0\1\0", 8)), Binary::component);
  EXPECT_EQ(kind("  \n(module)"), Binary::text);
  EXPECT_EQ(kind(";; a comment\n(module)"), Binary::text);
  EXPECT_EQ(kind("#!/bin/sh"), Binary::unknown);
}

TEST(Module, RefusesCodeOfAnotherEngine) {
  auto engine = *Engine::make(small_engine());
  EngineSettings other = small_engine();
  other.memory_guard *= 2;
  auto code = engine->compile(bytes_of("(module)"));
  ASSERT_TRUE(code);
  auto module = Module::load_code(*Engine::make(other), *code);
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().code(), Code::compile_failed);
}

TEST(Module, ListsImportsAndExportsWithTheirTypes) {
  auto engine = *Engine::make(small_engine());
  auto module = Module::compile(engine, bytes_of(R"((module
      (import "env" "f" (func (param i32 f32) (result i64)))
      (memory (export "memory") 3) (func (export "run"))))"));
  ASSERT_TRUE(module) << module.error().describe();
  ASSERT_EQ((*module)->imports().size(), 1u);
  EXPECT_EQ((*module)->imports()[0].type, "func (i32 f32) -> i64");
  ASSERT_EQ((*module)->exports().size(), 2u);
  EXPECT_EQ((*module)->exports()[0].type, "memory");
  EXPECT_EQ((*module)->exports()[1].type, "func ()");
  EXPECT_EQ((*module)->least_memory(), 3u << 16);
  EXPECT_GT((*module)->code_bytes(), 0u);
}

TEST(Module, ShortensTypesThatNoAbiHas) {
  auto engine = *Engine::make(small_engine());
  std::string wat = "(module (func (export \"f\") (param";
  for (int i = 0; i < 1000; ++i) wat += " i32";
  auto module = Module::compile(engine, bytes_of(wat + ")))"));
  ASSERT_TRUE(module) << module.error().describe();
  EXPECT_LT((*module)->exports()[0].type.size(), 200u);
  EXPECT_THAT((*module)->exports()[0].type, HasSubstr("i32 ...)"));
}

TEST(Module, RefusesWhatTheEngineHasSwitchedOff) {
  auto engine = *Engine::make(small_engine());
  EXPECT_FALSE(engine->compile(bytes_of("(module (memory 1 1 shared))")));
  EXPECT_FALSE(engine->compile(bytes_of("(module (memory i64 1))")));
  EXPECT_FALSE(Module::compile(engine, bytes_of("(module (memory 1) (memory 1))")));
}

std::shared_ptr<const Module> component_of(const std::shared_ptr<Engine>& engine,
                                           std::string_view text) {
  auto wasm = wat_to_wasm(text);
  EXPECT_TRUE(wasm) << wasm.error().describe();
  auto module = Module::compile(engine, *wasm);
  EXPECT_TRUE(module) << module.error().describe();
  return module.value_or(nullptr);
}

TEST(Module, OfWasi03OrWithWhatItNeedsIsOfTheConcurrentEngine) {
  auto engine = *Engine::make(small_engine());
  const auto concurrent = [&](std::string_view text) {
    return component_of(engine, text)->concurrent();
  };
  EXPECT_FALSE(concurrent("(component)"));
  EXPECT_FALSE(concurrent(R"((component (import "wasi:cli/exit@0.2.3" (instance))))"));
  EXPECT_TRUE(concurrent(R"((component (import "wasi:random/random@0.3.0" (instance))))"));
  EXPECT_TRUE(concurrent("(component (type (future u8)))"));
}

TEST(Module, SaysWhyItIsNotLoadedAsWhatItIs) {
  auto engine = *Engine::make(small_engine());
  const auto refusal = [&](std::string_view text) {
    const auto wasm = wat_to_wasm(text);
    EXPECT_TRUE(wasm) << wasm.error().describe();
    const auto module = Module::compile(engine, *wasm);
    EXPECT_FALSE(module);
    return module ? std::string() : module.error().message();
  };
  std::string tables = "(module", nine = "(component";
  for (int i = 0; i < 9; ++i) {
    tables += " (table 1 funcref)";
    nine += " (core module $m" + std::to_string(i) + " (memory 1)) (core instance (instantiate $m" +
            std::to_string(i) + "))";
  }
  EXPECT_THAT(refusal(tables + ")"), HasSubstr("tables"));
  EXPECT_THAT(refusal(nine + ")"), HasSubstr("memories"));
}

TEST(Engine, RefusesASettingInsteadOfEndingTheProcess) {
  EngineSettings settings = small_engine();
  settings.max_memory = settings.memory_reservation * 2;
  EXPECT_FALSE(Engine::make(settings));
  settings = small_engine();
  settings.wasm_stack = settings.async_stack * 2;
  EXPECT_FALSE(Engine::make(settings));
  settings = small_engine();
  settings.memory_guard = 0;
  EXPECT_FALSE(Engine::make(settings));
  settings = small_engine();
  settings.slots = 1'000'000;  // more address space than there is
  auto engine = Engine::make(settings);
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code(), Code::invalid_config);
}

TEST(Engine, MakesCodeForAChildWithoutAPool) {
  EngineSettings settings = small_engine();
  const auto pooled = *Engine::make(settings);
  settings.pooling = false;
  EXPECT_EQ((*Engine::make_for_compiling(settings))->compatibility(), pooled->compatibility());
}

#if !__has_feature(address_sanitizer)  // whose shadow alone takes terabytes of address space
[[noreturn]] void make_both_within(std::uint64_t address_space) {
  const rlimit limit{address_space, address_space};
  setrlimit(RLIMIT_AS, &limit);
  auto engine = Engine::make_for_compiling(settings_for_this_machine());
  _exit(engine && (*engine)->concurrent() ? 0 : 1);
}

TEST(EngineDeathTest, HasRoomForBothPoolsWhereAddressSpaceIsShort) {
  EXPECT_EXIT(make_both_within(150ULL << 30), ::testing::ExitedWithCode(0), "");
}
#endif

TEST(Engine, HasSettingsThatThisMachineBears) {
  const EngineSettings settings = settings_for_this_machine();
  auto engine = Engine::make(settings);
  ASSERT_TRUE(engine) << engine.error().describe();
  auto concurrent = (*engine)->concurrent();
  EXPECT_TRUE(concurrent) << concurrent.error().describe();
  EXPECT_GE(settings.slots, 16u);
  EXPECT_GE(settings.async_stack, 3 * settings.wasm_stack);
  EXPECT_FALSE(settings.pagemap_scan);
}

TEST(Engine, ExplainsEachOfItsSettings) {
  EngineSettings settings;
  settings.slots = 123;
  settings.memory_keep_resident = 3 << 20;
  const auto notes = explain(settings);
  ASSERT_FALSE(notes.empty());
  EXPECT_EQ(notes[0].value, "123");
  for (const SettingNote& note : notes)
    EXPECT_FALSE(note.value.empty() || note.why.empty()) << note.name;
}

}  // namespace
}  // namespace carrel::wasm
