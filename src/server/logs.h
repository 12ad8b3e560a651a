// All that the server writes about what it does, opened together: the error log, guests' words,
// failed turns, requests. In development they share one writer, so that a request and what its
// guest said stand together.
#pragma once

#include <memory>
#include <vector>

#include "api/log_tail.h"
#include "net/server.h"
#include "observe/log.h"
#include "patterns/function/handler.h"
#include "server/hook_reports.h"
#include "server/options.h"
#include "turn/turn.h"

namespace carrel::server {

// Owner: the composition root; outlives the shards. Its parts are thread-safe.
class Logs {
 public:
  // Errors: io.
  static Result<std::unique_ptr<Logs>> open(const ServerOptions& options, const Clock& clock);

  observe::Log& events() { return *events_; }
  turn::GuestLog& guests() { return *guests_; }
  function::FailureLog& failures() { return *failures_; }
  HookReports& hooks() { return *hooks_; }
  api::LogTail& tail() { return tail_; }              // of guests and failures
  net::AccessLog* access() { return access_.get(); }  // null: none is kept

  std::uint64_t dropped() const;  // lines, of all that is written

  // One line for the person who started the server.
  void say(std::string_view line) { people_->write(line); }

  // After the files were renamed.
  void reopen();

 private:
  std::vector<std::shared_ptr<observe::LineWriter>> writers_;
  std::shared_ptr<observe::LineWriter> people_;
  std::unique_ptr<observe::Log> events_;
  api::LogTail tail_;
  std::unique_ptr<turn::GuestLog> guests_;
  std::unique_ptr<function::FailureLog> failures_;
  std::unique_ptr<HookReports> hooks_;
  std::unique_ptr<net::AccessLog> access_;
};

}  // namespace carrel::server
