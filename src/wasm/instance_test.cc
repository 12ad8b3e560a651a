#include "wasm/instance.h"

#include <gmock/gmock.h>

#include "wasm/test_room.h"

namespace carrel::wasm {
namespace {

using End = Outcome::End;
using std::chrono::milliseconds;
using testing::TestRoom;
using testing::wide_limits;
using ::testing::HasSubstr;

TEST(Instance, RunsAnExportToItsEnd) {
  TestRoom room;
  const Outcome outcome = room.run(R"((module (memory (export "memory") 2) (func (export "run"))))");
  EXPECT_EQ(outcome.end, End::returned);
  EXPECT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.memory_peak, 2u << 16);
}

TEST(Instance, SaysWhereAGuestTrapped) {
  TestRoom room;
  const Outcome outcome = room.run(R"((module (func $inner unreachable) (func $outer (export "run") call $inner)))");
  EXPECT_EQ(outcome.end, End::trapped);
  EXPECT_EQ(outcome.trap, "unreachable code reached");
  ASSERT_EQ(outcome.frames.size(), 2u);
  EXPECT_EQ(outcome.frames[0].function, "inner");
  EXPECT_EQ(outcome.frames[1].function, "outer");
}

TEST(Instance, RefusesAnExportThatIsNotThere) {
  TestRoom room;
  const Outcome outcome = room.run(R"((module (memory (export "run") 1)))");
  EXPECT_EQ(outcome.end, End::refused);
  EXPECT_THAT(outcome.trap, HasSubstr("\"run\""));
}

TEST(Instance, EndsAnEndlessLoopAtItsCpuLimit) {
  TestRoom room;
  const Outcome outcome =
      room.run(R"((module (func (export "run") (loop $again br $again))))", {.cpu = milliseconds(5)});
  EXPECT_EQ(outcome.end, End::cpu_limit);
  EXPECT_GE(outcome.cpu, milliseconds(5));
}

}  // namespace
}  // namespace carrel::wasm
