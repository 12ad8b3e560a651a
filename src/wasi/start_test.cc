#include <set>

#include "wasi/fake_guest.h"

namespace carrel::wasi {
namespace {

using testing::FakeClock;
using testing::FakeGuest;

constexpr std::uint64_t kAt = 64;
constexpr std::uint64_t kBlock = 4096;

TEST(Start, ArgumentsAndVariablesAreLaidOutAsWasiHasIt) {
  Environment environment;
  environment.arguments->add("program");
  environment.arguments->add("");
  environment.variables->add("NAME", std::string_view("va\0lue", 6));
  FakeGuest guest(std::move(environment));
  EXPECT_EQ(guest("args_sizes_get", {kAt, kAt + 4}), Errno::success);
  EXPECT_EQ(guest.load<std::uint32_t>(kAt), 2U);
  EXPECT_EQ(guest.load<std::uint32_t>(kAt + 4), 9U);
  EXPECT_EQ(guest("args_get", {kAt, kBlock}), Errno::success);
  EXPECT_EQ(guest.load<std::uint32_t>(kAt), kBlock);
  EXPECT_EQ(guest.load<std::uint32_t>(kAt + 4), kBlock + 8);
  EXPECT_EQ(guest.text(kBlock, 9), std::string("program\0\0", 9));
  EXPECT_EQ(guest("environ_get", {kAt, kBlock}), Errno::success);
  EXPECT_EQ(guest.text(kBlock, 8), std::string("NAME=va\0", 8)) << "a NUL ends a text";
}

TEST(Start, NothingIsGivenWithoutAnEnvironment) {
  FakeGuest guest;
  EXPECT_EQ(guest("environ_sizes_get", {kAt, kAt + 4}), Errno::success);
  EXPECT_EQ(guest.load<std::uint64_t>(kAt), 0U);
  EXPECT_EQ(guest("environ_get", {kAt, kBlock}), Errno::success);
  EXPECT_EQ(guest("fd_prestat_get", {3, kAt}), Errno::badf);
  EXPECT_EQ(guest("fd_fdstat_get", {0, kAt}), Errno::badf);
}

TEST(Start, PreopensAreFoundFromThreeOn) {
  Environment environment;
  environment.preopens = {{"/", "/"}, {"data", "/x"}};
  FakeGuest guest(std::move(environment));
  EXPECT_EQ(guest("fd_prestat_get", {4, kAt}), Errno::success);
  EXPECT_EQ(guest.load<std::uint8_t>(kAt), 0);
  EXPECT_EQ(guest.load<std::uint32_t>(kAt + 4), 4U);
  EXPECT_EQ(guest("fd_prestat_dir_name", {4, kBlock, 3}), Errno::nametoolong);
  EXPECT_EQ(guest("fd_prestat_dir_name", {4, kBlock, 4}), Errno::success);
  EXPECT_EQ(guest.text(kBlock, 4), "data");
  EXPECT_EQ(guest("fd_prestat_get", {5, kAt}), Errno::badf);
}

TEST(Start, ClocksGoInStepsAndNeverStandStill) {
  FakeClock clock;
  FakeGuest guest({}, clock);
  const auto read = [&](std::uint64_t id) {
    EXPECT_EQ(guest("clock_time_get", {id, 1, kAt}), Errno::success);
    return guest.load<std::uint64_t>(kAt);
  };
  const auto before = read(1);
  EXPECT_GT(before, 3'600'000'000'000U) << "programs may subtract an hour";
  clock.passed = Nanos(999'999);
  EXPECT_EQ(read(1), before);
  clock.passed = Nanos(1'000'000);
  EXPECT_EQ(read(1), before + 1'000'000);
  EXPECT_EQ(read(0), 1'800'000'000'001'000'000U);
  EXPECT_EQ(guest("clock_res_get", {1, kAt}), Errno::success);
  EXPECT_EQ(guest.load<std::uint64_t>(kAt), 1'000'000U);
}

TEST(Start, OnlyTheTimeOfDayAndTheMonotonicClockAreThere) {
  FakeGuest guest;
  EXPECT_EQ(guest("clock_time_get", {2, 0, kAt}), Errno::notsup);
  EXPECT_EQ(guest("clock_res_get", {3, kAt}), Errno::notsup);
  EXPECT_EQ(guest("clock_time_get", {4, 0, kAt}), Errno::inval);
  EXPECT_EQ(guest("clock_time_get", {0xffffffff, 0, kAt}), Errno::inval);
}

TEST(Start, RandomnessFillsWhatWasAskedForAndNoMore) {
  FakeGuest guest;
  EXPECT_EQ(guest("random_get", {kAt, 32}), Errno::success);
  EXPECT_EQ(guest.waits, 0);
  const std::string first = guest.text(kAt, 32);
  EXPECT_EQ(guest.text(kAt + 32, 32), std::string(32, '\0'));
  EXPECT_EQ(guest("random_get", {kAt, 32}), Errno::success);
  EXPECT_NE(guest.text(kAt, 32), first);
  EXPECT_EQ(guest("random_get", {kAt, 0}), Errno::success);
}

TEST(Start, ManyRandomBytesComeInPiecesBetweenWhichOthersRun) {
  FakeGuest guest;
  constexpr std::uint32_t kMany = 900 << 10;
  EXPECT_EQ(guest("random_get", {0, kMany}), Errno::success);
  EXPECT_EQ(guest.waits, 3);
  for (std::uint32_t at = 0; at < kMany; at += 4096) {
    std::set<char> seen;
    for (char c : guest.text(at, 4096)) seen.insert(c);
    EXPECT_GT(seen.size(), 100U) << at;
  }
  EXPECT_EQ(guest("random_get", {0, 16}), Errno::success) << "the next call starts anew";
  EXPECT_EQ(guest.waits, 0);
}

TEST(Start, YieldingLetsOthersRunOnce) {
  FakeGuest guest;
  EXPECT_EQ(guest("sched_yield", {}), Errno::success);
  EXPECT_EQ(guest.waits, 1);
  EXPECT_EQ(guest("sched_yield", {}), Errno::success);
  EXPECT_EQ(guest.waits, 1);
}

TEST(Start, ExitAndSignalsEndTheGuest) {
  FakeGuest guest;
  EXPECT_EQ(guest.start(testing::function("proc_exit"), {0xfffffffe}), wasm::HostStatus::trap);
  EXPECT_EQ(guest.call.exit_code(), 0xfffffffe);
  EXPECT_EQ(guest("proc_raise", {31}), Errno::inval);
  EXPECT_EQ(guest("proc_raise", {0}), Errno::success);
  EXPECT_EQ(guest.start(testing::function("proc_raise"), {6}), wasm::HostStatus::trap);
  EXPECT_EQ(guest.call.abort_reason(), "the guest raised signal 6");
}

}  // namespace
}  // namespace carrel::wasi
