// What customers' bindings were given lately, and what came of it, for those whose they are.
//
// Kept in memory only, as far as the point lets them (`record`), and never what it calls private: a
// bounded number for each binding and bytes for all; who was asked longest ago loses its own first.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"

namespace carrel::hook {

struct Recording {
  std::uint64_t number = 0;  // in the order of their coming; the recordings'
  WallTime time;
  std::uint64_t id = 0;  // names the call in logs
  std::string status;    // as in a call's runs
  std::string code;      // of a failure
  std::string text;      // what was wrong
  std::string input;     // JSON, with what is private hidden; empty: it was too large to be kept
  std::string answer;    // likewise; empty: it gave none
  Nanos took{};

  bool failed() const { return !code.empty() || !text.empty(); }
};
using RecordingRef = std::shared_ptr<const Recording>;

// Owner: the composition root; outlives the shards. Thread-safe.
class Recordings {
 public:
  static constexpr std::size_t kMostOfBinding = 32;
  static constexpr std::size_t kMostBytesOfBinding = 256 << 10;
  static constexpr std::size_t kMostBytes = 32 << 20;  // of all
  static constexpr std::size_t kMostDocument = 64 << 10;

  Recordings();
  ~Recordings();
  Recordings(const Recordings&) = delete;
  Recordings& operator=(const Recordings&) = delete;

  void add(const TenantName& tenant, std::string_view binding, Recording recording);

  // The newest that came after number `after`, oldest first.
  std::vector<RecordingRef> last(const TenantName& tenant, std::string_view binding,
                                 std::uint64_t after, std::size_t most) const;
  void forget(const TenantName& tenant, std::string_view binding);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::hook
