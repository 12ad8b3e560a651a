#include "abi/standard_files.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "async/shard.h"
#include "net/memory_reply.h"

namespace carrel::abi {
namespace {

class NoWait final : public wasi::IoContext {
 public:
  void wait_for(async::Task<void>) override {}
  const Clock& clock() const override { return system_clock(); }
  bool charge_memory(std::int64_t) override { return true; }
};

class Lines final : public turn::GuestLog {
 public:
  void line(const turn::ModuleSetup&, std::uint64_t, std::string_view text) override {
    all.emplace_back(text);
  }
  std::vector<std::string> all;
};

class StandardError : public ::testing::Test {
 protected:
  // What the log holds after a guest with `limit` bytes of log has written `texts` and ended.
  std::vector<std::string> log_of(std::uint64_t limit, const std::vector<std::string>& texts) {
    turn::ModuleSetup module;
    module.limits.log_bytes = limit;
    turn::Event event;
    net::MemoryReply reply;
    Lines lines;
    turn::Turn turn{.module = module, .event = event, .reply = reply, .log = lines};
    NoWait io;
    {
      ErrorFile file(turn);
      for (const std::string& text : texts) {
        const auto bytes = std::as_bytes(std::span(text));
        EXPECT_EQ(file.write(io, {&bytes, 1}), text.size());
      }
    }
    return lines.all;
  }
};

using Log = std::vector<std::string>;
constexpr std::uint64_t kWide = 1 << 20;

TEST_F(StandardError, EndsAfterItsLimitAndSaysSoOnce) {
  const Log log =
      log_of(3000, {std::string(2000, 'a') + "\n", std::string(2000, 'b') + "\n", "more\n"});
  ASSERT_EQ(log.size(), 3u);
  EXPECT_EQ(log[0], std::string(2000, 'a'));
  EXPECT_EQ(log[1], std::string(3000 - 2000 - 128, 'b'));
  EXPECT_TRUE(log[2].contains("dropped"));
}

TEST_F(StandardError, CountsWhatTheLogWritesAroundEachLine) {
  std::string flood;
  for (int i = 0; i < 30'000; ++i) flood += "x\n";
  const Log log = log_of(64 << 10, {flood});
  EXPECT_LE(log.size(), (64u << 10) / 128 + 1);
  EXPECT_TRUE(log.back().contains("dropped"));
}

TEST_F(StandardError, SaysNothingOfALimitThatIsJustReached) {
  EXPECT_EQ(log_of(5, {"hello\n"}), Log{"hello"});
  EXPECT_EQ(log_of(0, {""}), Log{});
}

TEST_F(StandardError, CutsALineWithoutAnEnd) {
  const Log log = log_of(kWide, {std::string(10'000, 'a')});
  ASSERT_EQ(log.size(), 3u);
  EXPECT_EQ(log[0].size(), 4096u);
  EXPECT_EQ(log[2].size(), 10'000u - 2 * 4096);
}

TEST_F(StandardError, PutsLinesTogetherThatComeInPieces) {
  EXPECT_EQ(log_of(kWide, {"a", "b\n\nc", "\nend"}), (Log{"ab", "c", "end"}));
}

}  // namespace
}  // namespace carrel::abi
