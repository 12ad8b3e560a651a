#include "patterns/hook/endpoint_state.h"

#include <gtest/gtest.h>

namespace carrel::hook {
namespace {

constexpr std::uint64_t kDay = 24 * 3'600'000;
constexpr std::uint64_t kBegin = 1'800'000'000'000;

AttemptNote failed(std::uint64_t at, int status = 500) {
  return {.at = at, .id = "evt_1", .attempt = 1, .status = status, .cause = "it answered so"};
}
AttemptNote well(std::uint64_t at) { return {.at = at, .id = "evt_1", .status = 200}; }

TEST(EndpointState, IsDisabledAfterDaysOfNothingButFailures) {
  EndpointState state;
  EXPECT_FALSE(add_note(state, failed(kBegin), 5 * kDay));
  EXPECT_FALSE(add_note(state, failed(kBegin + 5 * kDay - 1), 5 * kDay));
  EXPECT_EQ(state.failing_since, kBegin);
  EXPECT_EQ(state.disabled, 0U);
  EXPECT_TRUE(add_note(state, failed(kBegin + 5 * kDay), 5 * kDay));
  EXPECT_EQ(state.disabled, kBegin + 5 * kDay);
  EXPECT_NE(state.why.find("120 hours"), std::string::npos);
  EXPECT_FALSE(add_note(state, failed(kBegin + 6 * kDay), 5 * kDay));  // it is told once
}

TEST(EndpointState, BeginsAnewWithEachSuccess) {
  EndpointState state;
  add_note(state, failed(kBegin), kDay);
  add_note(state, well(kBegin + kDay - 1), kDay);
  EXPECT_EQ(state.failing_since, 0U);
  EXPECT_FALSE(add_note(state, failed(kBegin + kDay), kDay));
  EXPECT_EQ(state.disabled, 0U);
}

TEST(EndpointState, IsDisabledAtOnceByWhoIsGone) {
  EndpointState state;
  EXPECT_TRUE(add_note(state, failed(kBegin, 410), kDay));
  EXPECT_NE(state.why.find("410"), std::string::npos);
}

TEST(EndpointState, BearsAClockThatGoesBack) {
  EndpointState state;
  add_note(state, failed(kBegin), kDay);
  EXPECT_FALSE(add_note(state, failed(kBegin - kDay * 30), kDay));
}

TEST(EndpointState, KeepsTheNewestAttempts) {
  EndpointState state;
  for (std::uint64_t i = 0; i < kMostNoted + 10; ++i) add_note(state, well(kBegin + i), kDay);
  ASSERT_EQ(state.notes.size(), kMostNoted);
  EXPECT_EQ(state.notes.front().at, kBegin + kMostNoted + 9);
}

TEST(EndpointState, IsReadAsItWasWritten) {
  EndpointState state;
  add_note(state, failed(kBegin, 410), kDay);
  const std::string record = encode(state);
  const auto read = decode_endpoint(record);
  ASSERT_TRUE(read);
  EXPECT_EQ(encode(*read), record);
  for (std::size_t size = 0; size < record.size(); ++size)
    EXPECT_FALSE(decode_endpoint(record.substr(0, size)));
  for (const std::string_view bad : {"{}", "[]", R"({"failing_since":-1})"})
    EXPECT_FALSE(decode_endpoint(bad));
}

}  // namespace
}  // namespace carrel::hook
