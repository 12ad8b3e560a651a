#include "observe/log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace carrel::observe {
namespace {

class StillClock final : public Clock {
 public:
  Instant now() const override { return {}; }
  WallTime wall() const override { return {}; }
};

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    folder_ = ::testing::TempDir() + "carrel-log-XXXXXX";
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/log";
  }
  ~LogTest() override { std::filesystem::remove_all(folder_); }

  static std::string text_of(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  StillClock clock_;
  std::string folder_, path_;
};

TEST_F(LogTest, RefusesAFolderThatIsNotThereAndSaysWhatToDo) {
  auto writer = LineWriter::open(folder_ + "/missing/log");
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code(), Code::io);
  EXPECT_FALSE(writer.error().help().empty());
}

TEST_F(LogTest, RefusesALevelThatDoesNotExist) {
  EXPECT_EQ(level_of("loud").error().code(), Code::invalid_argument);
  EXPECT_EQ(level_of("warn").value(), Level::warn);
}

TEST_F(LogTest, WritesWhatWasQueuedBeforeItEnds) {
  {
    auto writer = LineWriter::open(path_).value();
    auto log = make_log(writer, Level::info, LogForm::json, clock_);
    log->write(Level::debug, "unheard", {});
    log->write(Level::error, "turn_failed",
               {{"id", HexId{10}}, {"message", "a\nb"}, {"status", std::uint64_t{502}}});
  }
  EXPECT_EQ(
      text_of(path_),
      "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"error\",\"event\":\"turn_failed\","
      "\"id\":\"000000000000000a\",\"message\":\"a\\nb\",\"status\":502}\n");
}

TEST_F(LogTest, TextKeepsHostileLinesInTheirPlace) {
  {
    auto writer = LineWriter::open(path_).value();
    auto log = make_log(writer, Level::info, LogForm::text, clock_);
    log->write(Level::warn, "reload_failed", {{"message", "one\n\x1b[2Jtwo"}, {"help", ""}});
  }
  EXPECT_EQ(text_of(path_), "warn: reload_failed\n  message  one\n           \\x1b[2Jtwo\n");
}

TEST_F(LogTest, ReopensAfterRotation) {
  {
    auto writer = LineWriter::open(path_).value();
    std::filesystem::rename(path_, path_ + ".1");
    writer->reopen();
    writer->write("after");
  }
  EXPECT_EQ(text_of(path_), "after\n");
}

TEST_F(LogTest, WritesAllThatIsQueuedWhileItEnds) {
  constexpr int kLines = 5000;
  for (int round = 0; round < 20; ++round) {
    auto writer = LineWriter::open(path_).value();
    for (int i = 0; i < kLines; ++i) writer->write("line");
  }
  EXPECT_EQ(text_of(path_).size(), 20U * kLines * 5);
}

// That it returns is part of it: the end does not wait for a reader that has stopped.
TEST_F(LogTest, DropsTheOldestWhenTheTargetDoesNotTakeLinesAndEnds) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  std::fstream reader(path_,
                      std::ios::in | std::ios::out);  // keeps the pipe open and does not read
  auto writer = LineWriter::open(path_).value();
  const std::string line(1024, 'x');
  for (int i = 0; i < 20'000; ++i) writer->write(line);
  EXPECT_GT(writer->dropped(), 0U);
}

}  // namespace
}  // namespace carrel::observe
