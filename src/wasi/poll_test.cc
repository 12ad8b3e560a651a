#include "wasi/fake_files.h"
#include "wasi/fake_guest.h"

namespace carrel::wasi {
namespace {

using testing::FakeGuest;
using testing::FakePipe;
using testing::FakeStream;

constexpr std::uint64_t kAt = FakeGuest::kResult;
constexpr std::uint32_t kIn = FakeGuest::kOther;
constexpr std::uint32_t kOut = FakeGuest::kBuffer;
constexpr std::uint64_t kMillisecond = 1'000'000;

struct PollOneoff : ::testing::Test {
  FakePipe input, output;
  FakeGuest guest{environment()};

  Environment environment() {
    Environment result;
    result.standard_in = std::make_unique<FakeStream>(input);
    result.standard_out = std::make_unique<FakeStream>(output);
    return result;
  }
  void clock(std::uint32_t index, std::uint32_t id, std::uint64_t timeout,
             std::uint16_t flags = 0) {
    const std::uint32_t at = kIn + index * 48;
    guest.store<std::uint64_t>(at, 1000 + index);
    guest.store<std::uint8_t>(at + 8, 0);
    guest.store(at + 16, id);
    guest.store(at + 24, timeout);
    guest.store(at + 40, flags);
  }
  void file(std::uint32_t index, std::uint8_t kind, std::uint32_t fd) {
    const std::uint32_t at = kIn + index * 48;
    guest.store<std::uint64_t>(at, 1000 + index);
    guest.store(at + 8, kind);
    guest.store(at + 16, fd);
  }
  Errno poll(std::uint32_t count) { return guest("poll_oneoff", {kIn, kOut, count, kAt}); }
  wasm::HostStatus start(std::uint32_t count) {
    return guest.start(testing::function("poll_oneoff"), {kIn, kOut, count, kAt});
  }
  std::uint32_t events() { return guest.load<std::uint32_t>(kAt); }
  std::uint64_t userdata(std::uint32_t event) {
    return guest.load<std::uint64_t>(kOut + event * 32);
  }
  Errno error(std::uint32_t event) {
    return Errno(guest.load<std::uint16_t>(kOut + event * 32 + 8));
  }
  std::uint64_t now(std::uint64_t id) {
    EXPECT_EQ(guest("clock_time_get", {id, 0, 128}), Errno::success);
    return guest.load<std::uint64_t>(128);
  }
};

TEST_F(PollOneoff, RefusesNoneAndTooMany) {
  EXPECT_EQ(poll(0), Errno::inval);
  EXPECT_EQ(poll(4097), Errno::inval);
  EXPECT_EQ(poll(0xffffffff), Errno::inval);
  guest.store<std::uint8_t>(kIn + 8, 3);
  EXPECT_EQ(poll(1), Errno::inval) << "an event that does not exist";
  clock(0, 1, 0, 2);
  EXPECT_EQ(poll(1), Errno::inval) << "an unknown flag";
}

TEST_F(PollOneoff, ATimeoutOfZeroIsOverAtOnce) {
  clock(0, 1, 0);
  EXPECT_EQ(poll(1), Errno::success);
  EXPECT_EQ(guest.waits, 0);
  EXPECT_EQ(events(), 1U);
  EXPECT_EQ(userdata(0), 1000U);
}

TEST_F(PollOneoff, SleepsAtLeastAsLongAsTheGuestsClockShows) {
  for (const std::uint64_t id : {0, 1}) {
    const auto before = now(id);
    clock(0, static_cast<std::uint32_t>(id), 3 * kMillisecond);
    EXPECT_EQ(poll(1), Errno::success);
    EXPECT_GE(guest.waits, 1);
    EXPECT_GE(now(id), before + 3 * kMillisecond);
  }
}

TEST_F(PollOneoff, SleepsUntilATimeOfEitherClock) {
  for (const std::uint64_t id : {0, 1}) {
    const auto until = now(id) + 3 * kMillisecond;
    clock(0, static_cast<std::uint32_t>(id), until, 1);
    EXPECT_EQ(poll(1), Errno::success);
    EXPECT_GE(now(id), until);
    clock(0, static_cast<std::uint32_t>(id), until, 1);
    EXPECT_EQ(poll(1), Errno::success);
    EXPECT_EQ(guest.waits, 0) << "it has passed";
  }
}

TEST_F(PollOneoff, OnlyTheFirstOfSeveralClocksHasAnEvent) {
  clock(0, 1, ~0ULL);
  clock(1, 1, ~0ULL >> 1, 1);
  clock(2, 1, kMillisecond);
  EXPECT_EQ(poll(3), Errno::success);
  EXPECT_EQ(events(), 1U);
  EXPECT_EQ(userdata(0), 1002U);
}

TEST_F(PollOneoff, ErrorsOfASubscriptionAreEvents) {
  clock(0, 2, 1);
  clock(1, 9, 1);
  file(2, 1, 77);
  file(3, 2, 0);
  EXPECT_EQ(poll(4), Errno::success);
  EXPECT_EQ(events(), 4U);
  EXPECT_EQ(error(0), Errno::notsup);
  EXPECT_EQ(error(1), Errno::inval);
  EXPECT_EQ(error(2), Errno::badf);
  EXPECT_EQ(error(3), Errno::badf) << "standard input cannot be written";
}

TEST_F(PollOneoff, SaysHowMuchCanBeRead) {
  input.input = "12345";
  file(0, 1, 0);
  file(1, 2, 1);
  clock(2, 1, ~0ULL);
  EXPECT_EQ(poll(3), Errno::success);
  EXPECT_EQ(events(), 2U);
  EXPECT_EQ(guest.load<std::uint64_t>(kOut + 16), 5U);
  EXPECT_EQ(guest.load<std::uint8_t>(kOut + 10), 1);
  EXPECT_EQ(guest.load<std::uint64_t>(kOut + 32 + 16), 4096U);
}

TEST_F(PollOneoff, WaitsForTheFirstOfItsFiles) {
  output.full = true;
  file(0, 1, 0);
  file(1, 2, 1);
  file(2, 1, 0);
  clock(3, 1, ~0ULL);
  ASSERT_EQ(start(4), wasm::HostStatus::pending);
  auto wait = guest.call.take_wait();
  wait.start();
  EXPECT_FALSE(wait.done());
  output.full = false;
  output.changed.signal();
  EXPECT_TRUE(wait.done());
  EXPECT_FALSE(input.changed.waiting()) << "the others no longer wait";
  ASSERT_EQ(start(4), wasm::HostStatus::done);
  EXPECT_EQ(events(), 1U);
  EXPECT_EQ(userdata(0), 1001U);
}

TEST_F(PollOneoff, ATimeoutCountsFromTheFirstAsking) {
  testing::FakeClock clock_of_test;
  Environment environment;
  environment.standard_in = std::make_unique<FakeStream>(input);
  FakeGuest other(std::move(environment), clock_of_test);
  file(0, 1, 0);
  clock(1, 1, 5 * kMillisecond);
  other.call.bytes() = guest.call.bytes();
  const auto& poll = testing::function("poll_oneoff");
  for (const int passed : {0, 2, 4}) {
    clock_of_test.passed = std::chrono::milliseconds(passed);
    ASSERT_EQ(other.start(poll, {kIn, kOut, 2, kAt}), wasm::HostStatus::pending) << passed;
    const auto dropped = other.call.take_wait();
  }
  clock_of_test.passed = std::chrono::milliseconds(5);
  ASSERT_EQ(other.start(poll, {kIn, kOut, 2, kAt}), wasm::HostStatus::done);
  EXPECT_EQ(other.load<std::uint64_t>(kOut), 1001U);
}

TEST_F(PollOneoff, OfSnapshot0HasAnIdentifierInItsClocks) {
  guest.store<std::uint64_t>(kIn, 5);
  guest.store<std::uint8_t>(kIn + 8, 0);
  guest.store<std::uint64_t>(kIn + 16, 99);
  guest.store<std::uint32_t>(kIn + 24, 1);
  guest.store<std::uint64_t>(kIn + 32, kMillisecond);
  guest.store<std::uint16_t>(kIn + 48, 0);
  EXPECT_EQ(guest.run(testing::function("poll_oneoff", "wasi_unstable"), {kIn, kOut, 1, kAt}),
            Errno::success);
  EXPECT_EQ(error(0), Errno::success);
  EXPECT_GE(guest.waits, 1);
}

}  // namespace
}  // namespace carrel::wasi
