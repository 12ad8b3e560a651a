// The newest lines of what apps say, and those who follow them.
//
// Kept in memory only, beside the log's files: a bounded number for each app, for each tenant with
// all below it, and of all together; who was silent longest loses its lines first. A follower that
// does not keep up loses what waited for it and learns that there is a gap, so no memory grows with
// its slowness.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "async/event.h"
#include "async/shard.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"

namespace carrel::api {

// A line that a function wrote to standard error, or why a turn of it failed.
struct LogLine {
  enum class Kind : std::uint8_t { said, failed };
  Kind kind = Kind::said;
  WallTime time;
  TenantName tenant;
  AppName app;
  ModuleName module;
  std::uint64_t turn = 0;
  std::string code;  // of a failure
  std::string text;
  std::uint64_t number = 0;  // in the order of their coming; the tail's
};
using LogLineRef = std::shared_ptr<const LogLine>;

struct LogNews {
  bool gap = false;  // lines before these were lost
  std::vector<LogLineRef> lines;
};

// Owner: the composition root; outlives the shards. Thread-safe.
class LogTail {
 public:
  static constexpr std::size_t kMostLines = 256;         // of an app
  static constexpr std::size_t kMostBytes = 16 << 20;    // of all
  static constexpr std::size_t kMostOfTenant = 2 << 20;  // of a tenant with all below it
  static constexpr std::size_t kMostFollowers = 256;
  static constexpr std::size_t kMostFollowersOfTenant = 16;  // likewise
  static constexpr std::size_t kMostWaiting = 1024;          // lines, for one follower
  static constexpr std::size_t kMostText = 4096;             // bytes of a line; the rest is cut

  // Owner: who follows. Thread: its shard's. Stops: destruction.
  class Follower {
   public:
    struct Line;  // what waits for it
    explicit Follower(std::shared_ptr<Line> line) : line_(std::move(line)) {}
    // All since the last time; it may be nothing.
    LogNews take();
    // Until there may be news.
    async::Event& news();

   private:
    std::shared_ptr<Line> line_;
  };

  LogTail();
  ~LogTail();
  LogTail(const LogTail&) = delete;
  LogTail& operator=(const LogTail&) = delete;

  void add(LogLine line);

  // The newest lines of a tenant's app (empty: of all its apps), oldest first.
  std::vector<LogLineRef> last(const TenantName& tenant, std::string_view app,
                               std::size_t most) const;
  // The same, and all that come after them. Errors: too_many_requests.
  Result<Follower> follow(async::Shard& shard, TenantName tenant, std::string app,
                          std::size_t most);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::api
