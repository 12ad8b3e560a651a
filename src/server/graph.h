// What a server is made of.
//
// Owner: run_server, on whose thread it is made and goes. The parts say themselves which threads
// may call them.
#pragma once

#include <memory>
#include <vector>

#include "api/api.h"
#include "app/registry_source.h"
#include "base/interrupt.h"
#include "net/unix_listener.h"
#include "server/acme_unit.h"
#include "server/admin_url.h"
#include "server/app_set.h"
#include "server/delivery_pause.h"
#include "server/deployed_apps.h"
#include "server/host_desk.h"
#include "server/logs.h"
#include "server/node_state.h"
#include "server/options.h"
#include "server/plain_front.h"
#include "server/removed_tenants.h"
#include "server/shard_unit.h"
#include "server/signals.h"
#include "server/state.h"
#include "server/switchboard.h"
#include "tenant/allowance.h"

namespace carrel::server {

// Everything, in the order in which it is made; it goes in the opposite order.
struct Graph {
  ServerOptions& options;
  const Clock& clock = system_clock();
  std::unique_ptr<Signals> signals{};  // first: threads inherit what it blocks
  std::unique_ptr<Logs> logs{};
  Interrupt stopping{};  // what is compiled is not waited for any more
  std::unique_ptr<runtime::Loader> loader{};
  std::unique_ptr<NodeStore> store{};
  tenant::Allowances allowances{};
  net::EgressPolicy egress{.allowed = options.allowed_egress};  // grows until shards start
  std::unique_ptr<AppLoader> app_loader{};
  std::unique_ptr<AppSet> apps{};
  Switchboard switchboard{};
  std::unique_ptr<DeployedApps> deployed{};
  std::unique_ptr<FolderWatch> watch{};  // development only
  NodeState node{};
  std::unique_ptr<app::RegistrySource> registries{};  // of deployed apps' modules
  std::unique_ptr<api::Api> api{};
  acme::Challenges challenges{};
  std::unique_ptr<PlainFront> plain{};     // null: there is no plain listener beside one with TLS
  std::shared_ptr<net::TlsContext> tls{};  // of the apps' listeners
  std::uint16_t apps_port = 0;
  std::string tls_look{};  // of its files, as they were read
  AdminUrl admin_url{}, hooks_url{};
  std::unique_ptr<net::UnixListener> hooks_socket{};
  delivery::Ring deliveries{};
  std::unique_ptr<DeliveryPause> delivery_pause{};
  std::unique_ptr<RemovedTenants> removed_tenants{};
  std::vector<std::unique_ptr<ShardUnit>> shards{};
  std::unique_ptr<HostDesk> hosts{};
  std::unique_ptr<AcmeUnit> acme{};
  WallTime started = clock.wall();

  // Threads that speak to the shards end first.
  ~Graph() {
    if (acme) acme->stop();
    if (deployed) deployed->stop();
    if (store) store->stop();
  }
};

}  // namespace carrel::server
