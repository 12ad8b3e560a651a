#include "cli/wasm_summary.h"

#include <gtest/gtest.h>

#include "wasm/engine.h"

namespace carrel::cli {
namespace {

std::vector<std::byte> module_of(std::string_view wat) {
  auto bytes = wasm::wat_to_wasm(wat);
  EXPECT_TRUE(bytes);
  return bytes.value_or(std::vector<std::byte>());
}

constexpr std::string_view kModule = R"((module
  (import "env" "log" (func (param i32 i64) (result f64)))
  (import "env" "table" (table 1 funcref))
  (memory (export "memory") 2 5)
  (global (export "g") i32 (i32.const 1))
  (func $f (export "_start"))
  (data (i32.const 0) "text")
  (start $f)))";

TEST(WasmSummary, SurvivesEveryTruncation) {
  const auto bytes = module_of(kModule);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const WasmSummary summary = summarise_module(std::span(bytes).first(n));
    EXPECT_LE(summary.imports.size(), 2U) << n;
  }
  EXPECT_TRUE(summarise_module(std::span(bytes).first(bytes.size() - 1)).damage);
}

TEST(WasmSummary, SurvivesEveryByteTurnedOver) {
  auto bytes = module_of(kModule);
  for (std::byte& byte : bytes) {
    const std::byte kept = byte;
    for (const int value : {0x00, 0x7f, 0x80, 0xff}) {
      byte = static_cast<std::byte>(value);
      const WasmSummary summary = summarise_module(bytes);
      (void)summarise_component(bytes);
      EXPECT_LE(summary.exports.size(), bytes.size());
    }
    byte = kept;
  }
}

TEST(WasmSummary, ACountWithoutItemsIsDamageAndNotWork) {
  const unsigned char bytes[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 2, 5, 0xff, 0xff, 0xff, 0xff, 0x0f};
  const WasmSummary summary = summarise_module(std::as_bytes(std::span(bytes)));
  EXPECT_TRUE(summary.imports.empty());
}

TEST(WasmSummary, ReadsWhatAModuleHas) {
  const WasmSummary summary = summarise_module(module_of(kModule));
  EXPECT_FALSE(summary.damage) << *summary.damage;
  ASSERT_EQ(summary.imports.size(), 2U);
  EXPECT_EQ(summary.imports[0].type, "func (i32 i64) -> f64");
  EXPECT_EQ(summary.imports[1].type, "table");
  ASSERT_EQ(summary.exports.size(), 3U);
  EXPECT_EQ(summary.exports[2].name, "_start");
  EXPECT_EQ(summary.exports[2].type, "func ()");
  ASSERT_EQ(summary.memories.size(), 1U);
  EXPECT_EQ(summary.memories[0].least, 2U);
  EXPECT_EQ(summary.memories[0].most, 5U);
  EXPECT_TRUE(summary.has_start);
  EXPECT_EQ(summary.functions, 1U);
}

TEST(WasmSummary, MakesNamesPrintable) {
  const WasmSummary summary =
      summarise_module(module_of(R"((module (func (export "a\1b[31m\n"))))"));
  ASSERT_EQ(summary.exports.size(), 1U);
  EXPECT_EQ(summary.exports[0].name.find('\x1b'), std::string::npos);
  EXPECT_EQ(summary.exports[0].name.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace carrel::cli
