// The feed: what commits change, told to those who watch a store.
//
// Watchers learn of changes when they are applied, in order of commits; who passes them on waits
// until they are durable. A watcher that does not keep up loses what waited for it and learns that
// there is a gap, so no memory grows with its slowness. A commit that nobody watches costs one
// load.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "async/event.h"
#include "base/id.h"
#include "base/result.h"
#include "store/changes.h"
#include "store/key.h"
#include "store/version.h"

namespace carrel::store {

class Mailbox;

// A name that has a new record, or lost the one it had.
struct Told {
  Version version;
  std::string name;
  bool erased;
};
struct News {
  bool gap = false;  // changes before these were lost: list the store again
  std::vector<Told> told;
};

// Owner: who watches. Thread: its shard's. Stops: destruction.
class Watch {
 public:
  struct Line;  // what waits for it
  explicit Watch(std::shared_ptr<Line> line) : line_(std::move(line)) {}
  // All since the last time; it may be nothing.
  News take();
  // Until there may be news.
  async::Event& news();

 private:
  std::shared_ptr<Line> line_;
};

// Owner: the Store. Thread-safe.
class Feed {
 public:
  static constexpr std::size_t kMostWatches = 256;
  static constexpr std::size_t kMostOfTenant = 16;   // with all below it
  static constexpr std::size_t kMostWaiting = 1024;  // changes, for one watcher

  // Names of one store of a tenant that begin with `prefix`. Wakes its watcher through `mailbox`.
  // Errors: too_many_requests.
  Result<Watch> watch(const TenantName& tenant, Kind kind, std::string_view store,
                      std::string_view prefix, std::shared_ptr<Mailbox> mailbox);

  bool watched() const { return watches_.load(std::memory_order_acquire) > 0; }
  std::size_t watches() const { return watches_.load(std::memory_order_relaxed); }
  // Once the commit can be read. On the committer's thread, in order.
  void tell(Version version, const Changes& changes);
  // What is durable may not be what was told: everybody lists again.
  void tell_gap();

 private:
  void drop_ended();
  std::mutex mutex_;
  std::vector<std::weak_ptr<Watch::Line>> lines_;
  std::atomic<std::size_t> watches_ = 0;  // may count ones that have ended
};

}  // namespace carrel::store
