// The dispatcher of one shard: sees that items are delivered, at least once each.
//
// An item that is due is marked in the store as one more attempt, then tried, then settled: taken
// away, put off, or moved to the dead letters with the cause. The mark comes first, so a message
// that ends the process counts as well, and after enough attempts is a dead letter like any other.
// All of it is in the store; what is kept in memory (when each is due) is read from there at the
// start. Tenants take turns, and so do the lanes of each; both have a bound of attempts under way,
// so that one whose receivers hang holds up nobody else. A lane whose last attempt failed has one
// at a time, and such lanes together half of their tenant's, until one goes well.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>

#include "async/event.h"
#include "async/shard.h"
#include "base/clock.h"
#include "delivery/dead_count.h"
#include "delivery/erasure.h"
#include "delivery/receiver.h"
#include "observe/metrics.h"
#include "turn/state.h"

namespace carrel::turn {
class Step;
}

namespace carrel::delivery {

struct DispatchLimits {
  std::size_t open = 200'000;          // items of this shard that `has_room` allows
  std::size_t open_an_owner = 50'000;  // of them, of one tenant
  std::size_t running = 1024;          // attempts at once
  std::size_t running_an_owner = 64;
  std::size_t running_a_lane = 8;
  Nanos dead_for = std::chrono::hours(24 * 30);  // how long a dead letter is kept
  std::size_t dead_a_lane = 10'000;             // dead letters of this shard; the oldest makes room
  Nanos store_retry = std::chrono::seconds(1);  // while the store takes nothing
};

// Owner: the shard's unit. Thread: its shard. Stops: `stop`, then, when `idle` or no longer waited
// for, destruction, which cancels what is under way; those items are found again at the next start.
class Dispatcher {
 public:
  Dispatcher(async::Shard& shard, const turn::Services& services, const Clock& clock,
             Receiver& receiver, DispatchLimits limits = {});
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // At the start: the items of the store that `shard_of` says are this one's. Errors: those of
  // Transaction::read_names.
  async::Task<Result<void>> load(unsigned index, unsigned count);

  // Whether another item may be made; else the caller is told to come again later.
  bool has_room(std::string_view lane) const;

  // A new item, whose record is durable.
  void add(const Name& name, std::uint64_t due);
  // One that was a dead letter, and is open again.
  void add_again(const Name& name, std::uint64_t due);
  // Items whose records have been erased. One that is under way ends as if it had been delivered.
  void forget(const ErasedItems& erased);

  // Begins to deliver, or ceases to; what is under way goes on.
  void start();
  void pause();
  void stop() { pause(); }
  bool idle() const { return figures_.running.value() == 0; }
  std::size_t open() const { return figures_.open.value(); }

  // May be read by any thread.
  struct Figures {
    observe::Gauge open;                                     // items
    observe::Gauge running;                                  // attempts
    observe::Counter done, failed, not_now, dead, redriven;  // how attempts ended; dead letters
  };
  const Figures& figures() const { return figures_; }

  // Looks again what is due, when the clock has been set.
  void wake() { changed_.signal(); }

 private:
  struct Lane {
    std::deque<std::string> ready;  // ids, in the order in which they were due
    std::size_t running = 0;
    bool in_turn = false;
  };
  enum class Pace : std::uint8_t { usual, slow };  // slow: of a lane that fails
  struct Owner {
    std::deque<std::string> turns, slow_turns;  // lanes that may begin an attempt
    std::size_t running = 0, slow = 0, open = 0;
    bool in_turn = false, slow_next = false;
  };

  async::Task<void> loop();
  bool begin_due();
  void give_turn(const std::string& lane);
  void give_turn(const std::string& name, Owner& owner);
  void begin(const std::string& owner);
  bool may_begin_slow(const Owner& owner) const;
  void opened(const Name& name, std::uint64_t due);
  void closed(const Name& name);
  Owner& owner_of_lane(std::string_view lane);
  std::uint64_t now() const;

  async::Task<Result<void>> load_from(store::Place place, unsigned index, unsigned count);
  async::Task<void> deliver(Name name, Pace pace);
  void count(Verdict::How how);
  void learn(const Name& name, Verdict::How how);
  async::Task<Result<void>> commit(turn::Step* step);
  void plan(Item& item, Verdict& verdict);
  void ended(const Name& name, Pace pace, std::uint64_t due);

  async::Shard& shard_;
  const turn::Services& services_;
  const Clock& clock_;
  Receiver& receiver_;
  const DispatchLimits limits_;
  std::minstd_rand random_;

  using Waiting = std::multimap<std::uint64_t, const Name*>;
  Waiting waiting_;                                   // by when they are due
  std::map<Name, Waiting::iterator> open_;            // the end: it is ready or under way
  std::map<std::string, Lane, std::less<>> lanes_;    // that have something ready or under way
  std::map<std::string, Owner, std::less<>> owners_;  // that have something open
  std::deque<std::string> turns_;                     // owners that may begin an attempt
  std::set<std::string, std::less<>> failing_;        // lanes whose last attempt failed
  DeadCount dead_;
  unsigned index_ = 0, count_ = 1;  // which of the node's dispatchers this is
  Figures figures_;
  bool delivering_ = false;
  async::Event changed_;
  std::list<async::Task<void>> attempts_;
  async::Task<void> loop_;
};

}  // namespace carrel::delivery
