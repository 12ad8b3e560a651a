// The stage: makes versions ready to be served, and serves them. The server implements it; the API
// asks it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/deployment/records.h"
#include "async/shard.h"
#include "async/task.h"

namespace carrel::deployment {

// A version that can be served: its modules compiled and checked, its routes and files in place.
// Immutable; any thread.
class Ready {
 public:
  virtual ~Ready() = default;
  virtual const std::vector<std::string>& routes() const = 0;   // "GET /price/:sku"
  virtual const std::vector<std::string>& notices() const = 0;  // accepted, but not as expected
};

struct ReadyVersion {
  std::uint64_t number = 0;
  std::shared_ptr<const Ready> ready;
};

// Owner: the composition root; outlives the API. Thread-safe.
class Stage {
 public:
  virtual ~Stage() = default;

  // Unpacks, compiles and checks, on a thread of its own; returns on `shard`. What is ready already
  // is found. The parts are pinned or in use. Errors: everything that is wrong with the version at
  // once; shutting_down.
  virtual async::Task<Result<std::shared_ptr<const Ready>>> prepare(async::Shard& shard,
                                                                    Scope scope, Bundle bundle) = 0;

  // From now on the app is served as `app` says, by the `versions` that it serves; a removed one is
  // not. An older revision than what is served changes nothing. Returns when every request that
  // begins from then on is answered so.
  virtual async::Task<void> serve(async::Shard& shard, Scope scope, AppRecord app,
                                  std::vector<ReadyVersion> versions) = 0;

  // Where its live versions are reached; names, the first for people.
  virtual std::vector<std::string> hosts(const Scope& scope) const = 0;
  virtual std::string preview_host(const Scope& scope, std::uint64_t version) const = 0;
  // Why this app cannot be deployed here: it is served from a folder. Errors: in_use.
  virtual Result<void> check_free(const Scope& scope) const = 0;
};

}  // namespace carrel::deployment
