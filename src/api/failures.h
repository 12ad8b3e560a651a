// How often an address may present what is no valid token: a hundred times at once, then once a
// second.
//
// It tells who guesses to stop; guessing 256 bits is hopeless in any case, and a valid token is let
// in from any address. Addresses of one IPv6 /64 count as one.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace carrel::api {

// Owner: the API. Thread: its shard.
class FailureLimit {
 public:
  static constexpr double kBurst = 100, kEachSecond = 1;
  static constexpr std::size_t kMostAddresses = 4096;

  // Whether it may yet be told that its token is wrong.
  bool allows(std::string_view address, Instant now) const;
  void count(std::string_view address, Instant now);
  std::size_t addresses() const { return failures_.size(); }

 private:
  struct Failures {
    double count = 0;
    Instant as_of;
    double now(Instant when) const;
  };
  void make_room(Instant now);

  std::unordered_map<std::string, Failures> failures_;
};

}  // namespace carrel::api
