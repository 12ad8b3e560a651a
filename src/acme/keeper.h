// The keeper: has a certificate for each name that is wanted, and renews it in time.
//
// One order at a time, so that a node asks little of an ACME server however many names it has. A
// name whose order failed waits longer each time (schedule.h) while the others go on.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "acme/conversation.h"
#include "acme/folder.h"
#include "base/clock.h"

namespace carrel::acme {

// Hears how it goes. Called on the keeper's shard.
class Report {
 public:
  virtual ~Report() = default;
  virtual void issued(const std::string& host, WallTime until) = 0;
  virtual void failed(const std::string& host, const Error& error, std::chrono::seconds pause) = 0;
  // It is not wanted any more.
  virtual void given_up(const std::string& host) = 0;
};

// Owner and thread: one shard's. Stops: destroying the task of `run`.
class Keeper {
 public:
  // Normal names without wildcards; asked again and again.
  using Wanted = std::function<std::vector<std::string>()>;

  Keeper(async::Shard& shard, Conversation& conversation, const Folder& folder, Wanted wanted,
         Report& report, const Clock& clock)
      : shard_(shard),
        conversation_(conversation),
        folder_(folder),
        wanted_(std::move(wanted)),
        report_(report),
        clock_(clock) {}

  // Goes on until it is destroyed.
  async::Task<void> run();

 private:
  struct Name {
    WallTime due;  // when it is ordered
    unsigned failures = 0;
  };
  void look();
  std::map<std::string, Name>::iterator first_due();
  async::Task<void> order(std::string host);

  async::Shard& shard_;
  Conversation& conversation_;
  const Folder& folder_;
  const Wanted wanted_;
  Report& report_;
  const Clock& clock_;
  std::map<std::string, Name> names_;
};

}  // namespace carrel::acme
