#include "server/listeners.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "server/graph.h"

namespace carrel::server {
namespace {

// The address that was given and the port that it got.
void add_listener(net::EgressPolicy& policy, const Address& address, std::uint16_t port) {
  const auto ip = net::parse_ip(address.host);
  const net::IpAddress any{};  // of a name: all of this host's addresses
  policy.own_listeners.emplace_back(ip.value_or(any), port);
}

std::string url(std::string_view scheme, const Address& address, std::uint16_t port) {
  const bool v6 = address.host.contains(':');
  return fmt::format("{}://{}{}{}:{}", scheme, v6 ? "[" : "", address.host, v6 ? "]" : "", port);
}

// A listener on every address is called by the loopback's.
std::string local_url(const Address& address, std::uint16_t port) {
  const bool any = address.host == "0.0.0.0" || address.host == "::";
  return url("http", any ? Address{} : address, port);
}

// What operators give is right or the server does not start; what ACME left may be damaged.
Result<void> load_certificates(Graph& graph) {
  const ServerOptions& options = graph.options;
  if (options.acme) CARREL_TRY_VOID(acme::Folder::open(acme_folder(options)));
  const net::TlsFiles files = tls_files(options);
  graph.tls_look = net::look_of(files);
  CARREL_TRY(graph.tls, net::load_tls(options.tls.value_or(net::TlsFiles())));
  if (options.acme) say_problems(graph, net::reload_tls(*graph.tls, files));
  return {};
}

}  // namespace

void say_problems(Graph& graph, const std::vector<Error>& problems) {
  for (const Error& problem : problems) {
    graph.logs->events().write(observe::Level::error, "certificate_not_used",
                               {{"message", problem.message()}, {"help", problem.help()}});
  }
}

// Every shard listens on the same port; the kernel spreads the connections.
Result<std::string> listen_for_apps(Graph& graph) {
  const ServerOptions& options = graph.options;
  net::Server::Options how{.address = options.listen.host,
                           .port = options.listen.port,
                           .limits = options.limits,
                           .access_log = graph.logs->access()};
  if (has_tls(options)) {
    CARREL_TRY_VOID(load_certificates(graph));
    how.tls = graph.tls;
  }
  how.use = graph.shards.size() == 1 ? net::PortUse::alone : net::PortUse::first;
  for (const auto& shard : graph.shards) {
    CARREL_TRY(how.port, shard->serve_apps(how));
    how.use = net::PortUse::another;
  }
  add_listener(graph.egress, options.listen, how.port);
  graph.apps_port = how.port;
  return url(has_tls(options) ? "https" : "http", options.listen, how.port);
}

Result<std::string> listen_without_tls(Graph& graph) {
  const ServerOptions& options = graph.options;
  if (!options.plain) return std::string();
  graph.plain = std::make_unique<PlainFront>(graph.challenges, graph.apps_port);
  net::Server::Options how{.address = options.plain->host,
                           .port = options.plain->port,
                           .limits = options.limits,
                           .access_log = graph.logs->access()};
  how.limits.body_bytes = 0;
  how.use = graph.shards.size() == 1 ? net::PortUse::alone : net::PortUse::first;
  for (const auto& shard : graph.shards) {
    auto port = shard->serve_other(Listener::plain, *graph.plain, how);
    if (!port)
      return fail(port.error().code(), "the plain listener: " + port.error().message(),
                  "give it another address with --listen-plain HOST:PORT");
    how.port = *port;
    how.use = net::PortUse::another;
  }
  add_listener(graph.egress, *options.plain, how.port);
  return url("http", *options.plain, how.port);
}

Result<std::string> listen_for_admin(Graph& graph) {
  const ServerOptions& options = graph.options;
  const auto file = store_folder(options).parent_path() / "admin.url";
  if (!options.admin) {
    std::error_code none;
    std::filesystem::remove(file, none);  // left by a server that was killed
    return std::string();
  }
  CARREL_TRY(auto token, api::LocalToken::load_or_make(options.state / "token"));
  graph.api = std::make_unique<api::Api>(graph.node, api::Guard(options.admin_hosts),
                                         api::Authenticator(std::move(token)), graph.clock);
  graph.api->serve_state(graph.shards.front()->services());
  graph.api->serve_deployments(*graph.deployed);
  graph.api->serve_hosts(*graph.hosts);
  graph.api->serve_bindings(graph.switchboard, graph.logs->hooks().recordings(),
                            graph.shards.front()->shadows(), graph.deliveries);
  net::Server::Options how{.address = options.admin->host, .port = options.admin->port};
  how.limits.body_bytes = 1 << 30;  // a blob's most; each operation has its own
  how.limits.connections = 256;
  const auto port = graph.shards.front()->serve_other(Listener::admin, *graph.api, how);
  if (!port) {
    return fail(port.error().code(), "the /v1 API: " + port.error().message(),
                "give it another address with --admin HOST:PORT, or --admin off");
  }
  add_listener(graph.egress, *options.admin, *port);
  CARREL_TRY(graph.admin_url, AdminUrl::write(file, local_url(*options.admin, *port)));
  return url("http", *options.admin, *port);
}

Result<std::string> listen_for_hooks(Graph& graph) {
  const ServerOptions& options = graph.options;
  const auto file = store_folder(options).parent_path() / "hooks.url";
  std::error_code none;
  std::filesystem::remove(file, none);  // left by a server that was killed
  if (!options.data && options.data_socket.empty()) return std::string();
  const bool needed = options.data_asked || !graph.apps->hooks().empty();
  CARREL_TRY(const auto token, api::LocalToken::load_or_make(options.state / "token"));
  for (const auto& shard : graph.shards)
    shard->offer_hooks(token, *graph.delivery_pause, graph.clock);
  net::Server::Options how;
  how.limits.body_bytes = hook::kMaxDocument;
  if (!options.data_socket.empty()) {
    CARREL_TRY(graph.hooks_socket, net::UnixListener::listen(options.data_socket));
    how.socket = graph.hooks_socket.get();
    for (const auto& shard : graph.shards) CARREL_TRY_VOID(shard->serve_hooks(how));
    how.socket = nullptr;
  }
  if (!options.data) return std::string();
  how.address = options.data->host;
  how.port = options.data->port;
  how.use = graph.shards.size() == 1 ? net::PortUse::alone : net::PortUse::first;
  for (const auto& shard : graph.shards) {
    const auto port = shard->serve_hooks(how);
    if (!port && !needed) {
      // An app with points may be deployed later; another server has the usual address.
      graph.logs->events().write(observe::Level::warn, "hook_points_not_called",
                                 {{"message", port.error().message()}});
      return std::string();
    }
    if (!port) {
      return fail(port.error().code(), "the hook points: " + port.error().message(),
                  "give them another address with --data HOST:PORT, or --data off");
    }
    how.port = *port;
    how.use = net::PortUse::another;
  }
  add_listener(graph.egress, *options.data, how.port);
  CARREL_TRY(graph.hooks_url, AdminUrl::write(file, local_url(*options.data, how.port)));
  return needed ? url("http", *options.data, how.port) : std::string();
}

Result<void> allow_calls(Graph& graph) {
  CARREL_TRY(const auto tls, net::load_client_tls(graph.options.egress_ca_file));
  for (const auto& shard : graph.shards) {
    shard->allow_calls({.policy = graph.egress, .tls = tls}, graph.options.dns);
  }
  if (!graph.api) return {};
  app::RegistrySourceOptions how{.plain_http = graph.options.plain_http,
                                 .signed_by = graph.options.trusted_signers};
  for (const auto& shard : graph.shards) how.services.push_back(&shard->services());
  graph.registries = std::make_unique<app::RegistrySource>(std::move(how));
  graph.api->fetch_modules(*graph.registries);
  return {};
}

// By the same way out as all calls, but to any address: it is the operator who names it.
Result<void> trace(Graph& graph) {
  if (!graph.options.collector) return {};
  CARREL_TRY(const auto tls, net::load_client_tls(graph.options.egress_ca_file));
  net::EgressPolicy policy = graph.egress;
  for (const char* const all : {"0.0.0.0/0", "::/0"}) {
    CARREL_TRY(const auto range, net::parse_range(all));
    policy.allowed.push_back(range);
  }
  for (const auto& shard : graph.shards)
    shard->trace(*graph.options.collector, {.policy = policy, .tls = tls}, graph.options.version);
  return {};
}

}  // namespace carrel::server
