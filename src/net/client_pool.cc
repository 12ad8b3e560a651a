#include "net/client_pool.h"

#include <algorithm>
#include <utility>

#include "async/first_of.h"

namespace carrel::net {

ClientPool::Lease::Lease(std::shared_ptr<ClientPool> pool, TenantName tenant)
    : pool_(std::move(pool)), tenant_(std::move(tenant)) {}

ClientPool::Lease& ClientPool::Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    end();
    pool_ = std::move(other.pool_);
    tenant_ = std::move(other.tenant_);
  }
  return *this;
}

void ClientPool::Lease::end() {
  if (const auto pool = std::exchange(pool_, nullptr)) pool->leave(tenant_);
}

std::unique_ptr<ClientSocket> ClientPool::Lease::take_idle(const Origin& origin) {
  auto& idle = pool_->tenants_[tenant_].idle;
  // The newest first: it is the least likely to have been closed.
  for (auto i = idle.end(); i != idle.begin();) {
    --i;
    if (i->origin != origin) continue;
    auto socket = std::move(i->socket);
    const bool stale = std::chrono::steady_clock::now() - i->since > pool_->limits_.idle;
    i = idle.erase(i);
    if (!stale && socket->is_quiet()) return socket;
  }
  return nullptr;
}

void ClientPool::Lease::make_room() {
  auto& tenant = pool_->tenants_[tenant_];
  while (!tenant.idle.empty() &&
         tenant.in_use + tenant.idle.size() > pool_->limits_.connections_a_tenant) {
    tenant.idle.pop_front();
  }
}

void ClientPool::Lease::keep(const Origin& origin, std::unique_ptr<ClientSocket> socket) {
  if (pool_ && !pool_->closed_) {
    auto& idle = pool_->tenants_[tenant_].idle;
    const auto same = [&](const Idle& one) { return one.origin == origin; };
    if (static_cast<std::size_t>(std::ranges::count_if(idle, same)) >= pool_->limits_.idle_a_host) {
      idle.erase(std::ranges::find_if(idle, same));
    }
    idle.push_back({origin, std::move(socket), std::chrono::steady_clock::now()});
    if (!pool_->sweeper_) {
      pool_->sweeper_ = pool_->sweep();
      pool_->sweeper_.start();
    }
  }
  end();
}

async::Task<void> ClientPool::wait(std::shared_ptr<Waiter> waiter) { co_await waiter->event; }

async::Task<Result<ClientPool::Lease>> ClientPool::enter(TenantName tenant, Instant until) {
  // In the line until it is its turn, or the call is given up.
  struct Place {
    std::shared_ptr<ClientPool> pool;
    TenantName tenant;
    std::shared_ptr<Waiter> waiter = std::make_shared<Waiter>();
    ~Place() {
      if (waiter->entered) return;
      pool->tenants_[tenant].waiting.remove(waiter.get());
      pool->forget_unused(tenant);
    }
  };
  const auto self = shared_from_this();
  if (Tenant& own = tenants_[tenant];
      own.waiting.empty() && own.in_use < limits_.connections_a_tenant) {
    ++own.in_use;
    co_return Lease(self, std::move(tenant));
  }
  Place place{.pool = self, .tenant = tenant};
  tenants_[tenant].waiting.push_back(place.waiter.get());
  (void)co_await async::first_of(wait(place.waiter), shard_.sleep_until(until));
  if (!place.waiter->entered) {
    co_return fail(Code::egress_timeout, "too many calls to the outside at once",
                   "make fewer calls side by side, or end them sooner");
  }
  co_return Lease(self, std::move(tenant));
}

// Who is let in runs at once, and may leave as well: nothing is held over the signal.
void ClientPool::let_in(const TenantName& name) {
  for (;;) {
    const auto found = tenants_.find(name);
    if (found == tenants_.end()) return;
    Tenant& tenant = found->second;
    if (tenant.waiting.empty() || tenant.in_use >= limits_.connections_a_tenant) return;
    Waiter* const first = tenant.waiting.front();
    tenant.waiting.pop_front();
    first->entered = true;
    ++tenant.in_use;
    first->event.signal();
  }
}

void ClientPool::leave(const TenantName& name) {
  Tenant& tenant = tenants_[name];
  --tenant.in_use;
  if (tenant.waiting.empty()) {
    forget_unused(name);
    return;
  }
  // Not from here: this may be the end of a coroutine that is being destroyed.
  shard_.submit([weak = weak_from_this(), name] {
    if (const auto pool = weak.lock()) pool->let_in(name);
  });
}

void ClientPool::forget_unused(const TenantName& name) {
  const auto found = tenants_.find(name);
  if (found == tenants_.end()) return;
  const Tenant& tenant = found->second;
  if (tenant.in_use == 0 && tenant.idle.empty() && tenant.waiting.empty()) tenants_.erase(found);
}

async::Task<void> ClientPool::sweep() {
  for (;;) {
    co_await shard_.sleep_for(std::max<Nanos>(limits_.idle / 2, std::chrono::milliseconds(1)));
    drop_stale();
  }
}

void ClientPool::drop_stale() {
  const Instant oldest = std::chrono::steady_clock::now() - limits_.idle;
  for (auto i = tenants_.begin(); i != tenants_.end();) {
    Tenant& tenant = i->second;
    while (!tenant.idle.empty() && tenant.idle.front().since <= oldest) tenant.idle.pop_front();
    const bool gone = tenant.in_use == 0 && tenant.idle.empty() && tenant.waiting.empty();
    i = gone ? tenants_.erase(i) : std::next(i);
  }
}

void ClientPool::close() {
  closed_ = true;
  sweeper_ = {};
  for (auto& [name, tenant] : tenants_) tenant.idle.clear();
}

}  // namespace carrel::net
