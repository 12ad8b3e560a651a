// What the requests of one shard's listener come to; those it hears of go on to the access log.
#pragma once

#include <array>

#include "net/server.h"
#include "observe/metrics.h"

namespace carrel::server {

// Which of the server's listeners.
enum class Listener : std::uint8_t { apps, data, admin, plain };
inline constexpr std::array kListeners{Listener::apps, Listener::data, Listener::admin,
                                       Listener::plain};

// Owner: the shard's unit; outlives the listener. Thread: its shard; the figures any.
class RequestFigures final : public net::AccessLog {
 public:
  static constexpr std::size_t kClasses = 5;  // 1xx to 5xx

  // Before the first request. Null: nowhere.
  void pass_on(net::AccessLog* log) { log_ = log; }
  void write(const net::AccessRecord& record) override;

  observe::DurationCounts durations(std::size_t status_class) const {
    return durations_[status_class].counts();
  }
  std::uint64_t bytes_in() const { return bytes_in_.value(); }
  std::uint64_t bytes_out() const { return bytes_out_.value(); }

 private:
  net::AccessLog* log_ = nullptr;
  std::array<observe::Durations, kClasses> durations_;
  observe::Counter bytes_in_, bytes_out_;
};

}  // namespace carrel::server
