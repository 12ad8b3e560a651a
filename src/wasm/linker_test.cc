#include "wasm/linker.h"

#include <gmock/gmock.h>

#include "wasm/test_room.h"

namespace carrel::wasm {
namespace {

using testing::bytes_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TestRoom;

HostStatus nothing(Call&, const std::uint64_t*, std::int32_t*) { return HostStatus::done; }

constexpr HostFunction kFunctions[] = {
    {"env", "log", "ii", nothing, Suspends::never, Returns::nothing},
    {"env", "sleep", "I", nothing, Suspends::never},
};

class Imports : public ::testing::Test {
 protected:
  Error refuse(const std::string& wat) {
    auto module = Module::compile(room.engine, bytes_of(wat));
    EXPECT_TRUE(module) << module.error().describe();
    auto prepared = room.linker->prepare(*module);
    EXPECT_FALSE(prepared);
    return prepared ? Error(Code::internal) : prepared.error();
  }
  TestRoom room{kFunctions};
};

TEST_F(Imports, ThatNobodyProvidesAreAllNamedWithTheirTypes) {
  const Error error = refuse(R"((module
      (import "env" "abort" (func (param i32 i64) (result i32)))
      (import "env" "log" (func (param i32 i32)))
      (import "js" "now" (func (result f64)))
      (import "env" "memory" (memory 1))))");
  EXPECT_EQ(error.code(), Code::unknown_import);
  EXPECT_THAT(error.message(), HasSubstr("env.abort, func (i32 i64) -> i32"));
  EXPECT_THAT(error.message(), HasSubstr("js.now, func () -> f64"));
  EXPECT_THAT(error.message(), HasSubstr("env.memory, memory"));
  EXPECT_THAT(error.message(), Not(HasSubstr("env.log")));
}

TEST_F(Imports, WithAnotherTypeAreToldWhatIsProvided) {
  const Error error = refuse(R"((module (import "env" "log" (func (param i32) (result i32)))))");
  EXPECT_THAT(error.message(),
              HasSubstr("env.log, func (i32) -> i32 (provided with another type: func (i32 i32))"));
}

TEST_F(Imports, OfAnotherKindAreRefused) {
  EXPECT_THAT(refuse(R"((module (import "env" "log" (global i32))))").message(),
              HasSubstr("env.log, global"));
}

TEST_F(Imports, InGreatNumberAreCounted) {
  std::string wat = "(module";
  for (int i = 0; i < 1000; ++i) wat += "(import \"a\" \"f" + std::to_string(i) + "\" (func))";
  EXPECT_THAT(refuse(wat + ")").message(), HasSubstr("and 900 more"));
}

TEST_F(Imports, WithHugeNamesMakeAShortMessage) {
  const Error error = refuse("(module (import \"" + std::string(60'000, 'm') + "\" \"" +
                             std::string(60'000, 'n') + "\" (func)))");
  EXPECT_LT(error.message().size(), 1000u);
}

TEST_F(Imports, ThatMatchArePrepared) {
  EXPECT_TRUE(room.prepare(R"((module (import "env" "log" (func (param i32 i32)))
      (import "env" "sleep" (func (param i64) (result i32)))))"));
}

TEST(Linker, RefusesARowWithASignatureItCannotServe) {
  constexpr HostFunction kOdd[] = {{"env", "odd", "IIIIIII", nothing, Suspends::maybe}};
  TestRoom room;
  auto linker = Linker::make(room.engine, kOdd);
  ASSERT_FALSE(linker);
  EXPECT_THAT(linker.error().message(), HasSubstr("env.odd"));
}

TEST(Linker, RefusesARowWithTooManyOperands) {
  constexpr HostFunction kLong[] = {{"env", "long", "iiiiiiiiiiiiiiiii", nothing}};
  TestRoom room;
  EXPECT_FALSE(Linker::make(room.engine, kLong));
}

}  // namespace
}  // namespace carrel::wasm
