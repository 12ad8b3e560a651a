#include "server/access_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace carrel::server {
namespace {

class StillClock final : public Clock {
 public:
  Instant now() const override { return {}; }
  WallTime wall() const override { return {}; }
};

class AccessLogTest : public ::testing::Test {
 protected:
  AccessLogTest() {
    folder_ = ::testing::TempDir() + "carrel-access-XXXXXX";
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    request_.method = "GET";
    request_.target = "/price/7?token=hush";
    request_.path = "/price/7";
    request_.query = "token=hush";
    request_.host = "shop.example";
    request_.remote_address = "127.0.0.1";
    request_.headers = {{"Authorization", "Bearer hush"}, {"Cookie", "hush"}};
  }
  ~AccessLogTest() override { std::filesystem::remove_all(folder_); }

  std::string line(bool json) {
    {
      auto writer = observe::LineWriter::open(folder_ + "/log").value();
      auto log = json ? json_access_log(writer, clock_) : text_access_log(writer);
      log->write({.request = request_,
                  .status = 200,
                  .id = 10,
                  .bytes_in = 1,
                  .bytes_out = 2,
                  .duration = std::chrono::microseconds(1250)});
    }
    std::stringstream text;
    text << std::ifstream(folder_ + "/log").rdbuf();
    return text.str();
  }

  StillClock clock_;
  std::string folder_;
  net::Request request_;
};

TEST_F(AccessLogTest, NeverHoldsAQueryOrAHeadersValue) {
  EXPECT_FALSE(line(true).contains("hush"));
}

TEST_F(AccessLogTest, CannotBeForgedByAPath) {
  request_.path = "/\"}\n{\"event\":\"request\x1b[2J";
  const std::string json = line(true);
  EXPECT_EQ(std::ranges::count(json, '\n'), 1);
  EXPECT_TRUE(json.contains(R"("path":"/\"}\n{\"event\":\"request\u001b[2J")"));
}

TEST_F(AccessLogTest, TextCannotSteerTheTerminal) {
  request_.path = "/\n\x1b[2J";
  EXPECT_EQ(line(false), "GET /\\x0a\\x1b[2J 200 1.2 ms\n");
}

TEST_F(AccessLogTest, SaysWhoAskedForWhatAndHowItWent) {
  EXPECT_EQ(
      line(true),
      R"({"time":"1970-01-01T00:00:00.000000Z","event":"request","id":"000000000000000a",)"
      R"("remote":"127.0.0.1","method":"GET","host":"shop.example","path":"/price/7","status":200,)"
      R"("bytes_in":1,"bytes_out":2,"micros":1250})"
      "\n");
}

}  // namespace
}  // namespace carrel::server
