// Admission: how many turns a shard runs at once, and how many of one tenant.
//
// An instance takes a slot of the engine's pool, so turns are counted before they start. A tenant
// may hold a share of the shard's slots; beyond it its turns wait in order, and beyond a bounded
// wait they are refused, so a tenant that floods or parks its guests delays nobody else.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>

#include "async/shard.h"
#include "base/id.h"
#include "base/result.h"
#include "observe/metrics.h"

namespace carrel::runtime {

struct AdmissionLimits {
  std::size_t turns = 128;             // at once on this shard
  std::size_t turns_a_tenant = 32;     // of them
  std::size_t waiting_a_tenant = 256;  // beyond: refused at once
  Nanos longest_wait = std::chrono::seconds(5);
};

// A tenant's place on one shard: its turns, and who pays for their CPU time.
struct TenantSeat {
  async::RunAccount account;
  std::size_t running = 0;
  std::size_t waiting = 0;
};

// Owner and thread: one shard. Stops: turns that wait are cancelled with their tasks.
class Admission {
 public:
  Admission(async::Shard& shard, const AdmissionLimits& limits) : shard_(shard), limits_(limits) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // Held while a turn runs.
  class [[nodiscard]] Ticket {
   public:
    Ticket(Admission* admission, TenantSeat* seat) : admission_(admission), seat_(seat) {}
    Ticket(Ticket&& other) noexcept
        : admission_(std::exchange(other.admission_, nullptr)), seat_(other.seat_) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (admission_ != nullptr) admission_->leave(*seat_);
    }
    async::RunAccount& account() const { return seat_->account; }

   private:
    Admission* admission_;
    TenantSeat* seat_;
  };

  // A ticket if there is room now.
  std::optional<Ticket> try_enter(const TenantName& tenant);

  // Waits for room. Errors: too_many_requests for a tenant over its share, overloaded for a full
  // shard.
  async::Task<Result<Ticket>> enter(TenantName tenant);

  std::size_t running() const { return figures_.running.value(); }

  // May be read by any thread.
  struct Figures {
    observe::Gauge running, waiting;  // turns
  };
  const Figures& figures() const { return figures_; }

 private:
  struct Waiter;
  TenantSeat& seat(const TenantName& tenant);
  bool has_room(const TenantSeat& seat) const;
  void take(TenantSeat& seat);
  void leave(TenantSeat& seat);

  async::Shard& shard_;
  AdmissionLimits limits_;
  std::unordered_map<TenantName, std::unique_ptr<TenantSeat>> seats_;
  std::list<Waiter*> waiters_;  // in order of arrival
  Figures figures_;
};

}  // namespace carrel::runtime
