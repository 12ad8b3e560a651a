// Admission: how many turns a shard runs at once, and how many of one tenant.
//
// An instance takes slots of the engine's pool, so turns are counted before they start. A tenant
// may hold a share of the shard's places; beyond it its turns wait in order, and beyond a bounded
// wait they are refused, so a tenant that floods or parks its guests delays nobody else. Its
// quotas, and those of the tenants above it, are heeded here as well (tenant/allowance.h). Tenants
// whose turns wait are let in one after the other; where one needs several places and has waited
// for them a while, those that become free are held for it.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>

#include "async/shard.h"
#include "base/id.h"
#include "base/result.h"
#include "observe/metrics.h"
#include "tenant/allowance.h"

namespace carrel::runtime {

struct AdmissionLimits {
  std::size_t turns = 128;             // at once on this shard, each with one place
  std::size_t turns_a_tenant = 32;     // of them; what needs more places than these never runs
  std::size_t waiting_a_tenant = 256;  // beyond: refused at once
  Nanos longest_wait = std::chrono::seconds(5);
  Nanos passed_over = std::chrono::milliseconds(50);  // before places are held for several
};

// What a turn needs. Value type.
struct Demand {
  tenant::Allowance* allowance = nullptr;  // of its tenant; null: nothing bounds it
  std::uint64_t memory = 0;                // bytes that it may use
  std::size_t places = 1;                  // more for a composed component
};

// That a program takes more places than a tenant may: it is for a larger node.
Error too_many_places(std::size_t places, std::size_t share);

// Owner and thread: one shard. Stops: turns that wait are cancelled with their tasks.
class Admission {
 public:
  Admission(async::Shard& shard, const AdmissionLimits& limits);
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  ~Admission();

  struct Seat;
  // Held while a turn runs.
  class [[nodiscard]] Ticket {
   public:
    Ticket(Admission* admission, Seat* seat, const Demand& demand);
    Ticket(Ticket&& other) noexcept
        : admission_(std::exchange(other.admission_, nullptr)),
          seat_(other.seat_),
          demand_(other.demand_),
          account_(std::move(other.account_)) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (admission_ != nullptr) admission_->leave(*seat_, demand_);
    }
    async::RunAccount& account() const { return *account_; }

   private:
    Admission* admission_;
    Seat* seat_;
    Demand demand_;
    std::shared_ptr<async::RunAccount> account_;
  };

  // A ticket if there is room now.
  std::optional<Ticket> try_enter(const TenantName& tenant, const Demand& demand = {});

  // Waits for room. Errors: too_many_requests for a tenant over its share or a quota, overloaded
  // for a full shard, module_too_large for what a tenant's share is too small for.
  async::Task<Result<Ticket>> enter(TenantName tenant, Demand demand = {});

  std::size_t running() const { return figures_.running.value(); }
  // Places of those that run.
  std::size_t taken() const { return taken_; }

  // May be read by any thread.
  struct Figures {
    observe::Gauge running, waiting;  // turns
  };
  const Figures& figures() const { return figures_; }

 private:
  struct Waiter;
  Seat& seat(const TenantName& tenant, const Demand& demand);
  bool may_have(const Seat& seat, const Demand& demand) const;
  bool has_room(const Seat& seat, const Demand& demand) const;
  const Waiter* held_for() const;
  void take(Seat& seat, const Demand& demand);
  void leave(Seat& seat, const Demand& demand);
  bool let_next_in();
  std::optional<Nanos> until_next_look(const Seat& seat, const Demand& demand) const;
  Error refusal(const TenantName& tenant, const Seat& seat, const Demand& demand) const;

  async::Shard& shard_;
  AdmissionLimits limits_;
  std::size_t taken_ = 0;
  std::size_t waiting_for_several_ = 0;  // places
  boost::unordered_flat_map<TenantName, std::unique_ptr<Seat>, std::hash<TenantName>> seats_;
  std::list<Seat*> lines_;  // of tenants whose turns wait; whose turn it is next is the first
  Figures figures_;
};

}  // namespace carrel::runtime
