// Tickets: turns that contend for a name queue up for it, first come first served.
//
// A turn that lost a conflict is run again holding a ticket for each name it lost by. While there
// is a queue, a turn whose first access to the store is that name joins it, and the committer
// refuses the commit of a turn that touches the name without holding its ticket. So whoever holds a
// ticket cannot lose by that name again: a hot name is slow, never livelocked.
//
// A ticket is given back by the committer with the commit, or by its turn's end; one held for
// longer than ten seconds is passed on.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "async/shard.h"
#include "async/task.h"
#include "base/clock.h"

namespace carrel::store {

// Who holds tickets. 0: nobody.
enum class TicketHolder : std::uint64_t {};

// Owner: the Store. Thread-safe; a name without a queue costs one relaxed atomic load.
class TicketTable {
 public:
  TicketTable();
  ~TicketTable();

  // Whether turns queue for the name.
  bool contended(std::uint64_t name) const;
  // For the committer: whether somebody other than `holder` has the name's ticket.
  bool held_by_other(std::uint64_t name, TicketHolder holder) const;
  // Passes on all that `holder` has.
  void give_back(TicketHolder holder);
  // Takes tickets held for longer than ten seconds from their holders. Called every second or so.
  void pass_on_late();

  struct Counts {
    std::uint64_t waited = 0;     // tickets that were waited for
    std::uint64_t passed_on = 0;  // from holders that took too long
  };
  Counts counts() const;

 private:
  friend class Tickets;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// One turn's tickets. Owner: its transaction. Thread: its shard's. Stops: destruction gives back
// what it holds and leaves the queues it is in.
class Tickets {
 public:
  Tickets(TicketTable& table, async::Shard& shard);
  ~Tickets();
  Tickets(const Tickets&) = delete;
  Tickets& operator=(const Tickets&) = delete;

  // Gives back all, then takes a ticket for each of `names` (hashes), in one order for all turns,
  // waiting for each. Cannot deadlock.
  async::Task<void> take(std::vector<std::uint64_t> names);
  bool empty() const;
  TicketHolder holder() const;  // 0 while it has none
  void give_back();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace carrel::store
