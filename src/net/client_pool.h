// The pool of connections to the outside: a tenant's share of them, and those kept for another
// call.
//
// A tenant never uses what another's call has opened. Who finds the share used up waits in line,
// for as long as the call may take.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "async/event.h"
#include "async/shard.h"
#include "base/id.h"
#include "net/client_socket.h"

namespace carrel::net {

struct Origin {
  std::string scheme, host;
  std::uint16_t port = 0;
  auto operator<=>(const Origin&) const = default;
};

// Owner: the client and the leases, together. Thread: its shard. Stops: `close()` lets go of what
// is kept.
class ClientPool final : public std::enable_shared_from_this<ClientPool> {
 public:
  struct Limits {
    std::size_t connections_a_tenant;  // in use and kept
    std::size_t idle_a_host;
    Nanos idle;
  };

  // One of the tenant's connections, in use: given back when it goes. Must go before the shard.
  class Lease {
   public:
    Lease() = default;
    Lease(std::shared_ptr<ClientPool> pool, TenantName tenant);
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { end(); }

    // One that was kept for `origin`, or null.
    std::unique_ptr<ClientSocket> take_idle(const Origin& origin);
    // Before one is opened: the tenant's that were kept longest go, if it has too many.
    void make_room();
    // Keeps a connection for the next call, and ends the lease.
    void keep(const Origin& origin, std::unique_ptr<ClientSocket> socket);
    void end();

   private:
    std::shared_ptr<ClientPool> pool_;
    TenantName tenant_;
  };

  ClientPool(async::Shard& shard, Limits limits) : shard_(shard), limits_(limits) {}

  // Errors: egress_timeout, when it is not the tenant's turn by `until`.
  async::Task<Result<Lease>> enter(TenantName tenant, Instant until);
  void close();

 private:
  struct Idle {
    Origin origin;
    std::unique_ptr<ClientSocket> socket;
    Instant since;
  };
  struct Waiter {
    async::Event event;
    bool entered = false;
  };
  struct Tenant {
    std::size_t in_use = 0;
    std::list<Idle> idle;  // oldest first
    std::list<Waiter*> waiting;
  };

  static async::Task<void> wait(std::shared_ptr<Waiter> waiter);
  async::Task<void> sweep();
  void drop_stale();
  void leave(const TenantName& tenant);
  void forget_unused(const TenantName& tenant);
  void let_in(const TenantName& tenant);

  async::Shard& shard_;
  Limits limits_;
  std::map<TenantName, Tenant> tenants_;
  async::Task<void> sweeper_;
  bool closed_ = false;
};

}  // namespace carrel::net
