#include "server/server.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <thread>

#include "server/graph.h"
#include "server/hook_points.h"
#include "server/listeners.h"
#include "server/metrics.h"
#include "server/removed_apps.h"
#include "server/stored_bindings.h"
#include "server/tenants.h"
#include "tenant/identities.h"
#include "wasm/code_cache.h"

namespace carrel::server {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kLoaderThreads = 2;
constexpr unsigned kMostShards = 256;
constexpr std::uint64_t kCodeCacheBytes = 8ULL << 30;
constexpr milliseconds kQuiet{50};     // a rebuild is over when nothing has changed for this long
constexpr milliseconds kLongest{500};  // or has gone on for this long
constexpr milliseconds kLookAtCertificates{2'000};
constexpr milliseconds kStuck{10'000};  // after the drain time: something does not stop
constexpr int kExitAtOnce = 130;

std::vector<unsigned> processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<unsigned> found;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (unsigned i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(i, &set)) found.push_back(i);
    }
  }
  if (found.empty()) found.push_back(0);
  return found;
}

unsigned shard_count(const ServerOptions& options) {
  const unsigned wanted =
      options.shards == 0 ? static_cast<unsigned>(processors().size()) : options.shards;
  return std::clamp(wanted, 1U, kMostShards);
}

Result<std::unique_ptr<runtime::Loader>> make_loader(const ServerOptions& options,
                                                     const Interrupt& stopping) {
  CARREL_TRY(auto engine, wasm::Engine::make(wasm::settings_for_this_machine()));
  wasm::CodeCacheOptions cache_options{.folder = options.state / "code",
                                       .key_file = options.state / "node.key",
                                       .max_bytes = kCodeCacheBytes,
                                       .compile = {.interrupt = &stopping}};
  CARREL_TRY(auto cache, wasm::CodeCache::open(engine, std::move(cache_options)));
  const auto limits = runtime::limits_for(engine->settings(), shard_count(options));
  return std::make_unique<runtime::Loader>(std::move(engine), std::move(cache), kLoaderThreads,
                                           limits.admission.turns_a_tenant);
}

void make_shards(Graph& graph) {
  const unsigned count = shard_count(graph.options);
  const auto limits = runtime::limits_for(graph.loader->engine()->settings(), count);
  for (unsigned i = 0; i < count; ++i) {
    graph.shards.push_back(std::make_unique<ShardUnit>(
        i, *graph.loader, limits, *graph.store, *graph.logs, graph.deliveries, graph.allowances));
    graph.switchboard.attach(*graph.shards.back());
  }
}

// Those of folders: nobody else is to deploy them.
void claim_folders(Graph& graph) {
  std::set<deployment::Scope> scopes;
  for (const LoadedApp& app : graph.apps->apps())
    scopes.insert({.tenant = TenantName(app.info.tenant), .app = AppName(app.info.name)});
  graph.deployed->set_folder_apps(std::move(scopes));
}

void serve_folders(Graph& graph) {
  claim_folders(graph);
  graph.switchboard.set_folders(graph.apps->sites(), graph.apps->hooks());
}

async::Task<void> erase_or_say(Graph* graph, turn::Services services, deployment::Scope scope) {
  const auto forget = [scope, board = &graph->switchboard] { board->forget(scope); };
  const auto done =
      co_await erase_removed(services, &graph->deliveries, scope, graph->clock.wall(), forget);
  if (done) co_return;
  graph->logs->events().write(observe::Level::error, "app_not_erased",
                              {{"tenant", scope.tenant.str()},
                               {"app", scope.app.str()},
                               {"code", code_name(done.error().code())},
                               {"message", done.error().message()}});
}

void erase(Graph& graph, const deployment::Scope& scope) {
  ShardUnit& first = *graph.shards.front();
  first.run_soon([&graph, services = first.services(), scope] {
    return erase_or_say(&graph, services, scope);
  });
}

void look_for_tenants(Graph& graph) {
  graph.shards.front()->run_soon([&graph] { return graph.removed_tenants->look(); });
}

Result<deployment::StoredApps> stored_apps(Graph& graph) {
  CARREL_TRY(const auto snapshot, graph.store->store().snapshot());
  return deployment::read_stored(snapshot->view);
}

void make_deployed(Graph& graph) {
  graph.deployed = std::make_unique<DeployedApps>(
      *graph.app_loader, graph.store->store().parts(), graph.switchboard, graph.logs->events(),
      DeployedOptions{.folder = store_folder(graph.options).parent_path() / "versions",
                      .erase = [&graph](const deployment::Scope& scope) { erase(graph, scope); },
                      .each_look = [&graph] { look_for_tenants(graph); },
                      .stored = [&graph] { return stored_apps(graph); }});
}

Result<void> serve_deployed(Graph& graph) {
  CARREL_TRY(const auto stored, stored_apps(graph));
  if (stored.damaged > 0)
    graph.logs->events().write(observe::Level::error, "deployments_damaged",
                               {{"records", static_cast<std::uint64_t>(stored.damaged)}});
  graph.deployed->restore(stored.apps);
  CARREL_TRY(const auto snapshot, graph.store->store().snapshot());
  CARREL_TRY(auto bindings, read_bindings(snapshot->view));
  if (bindings.damaged > 0)
    graph.logs->events().write(observe::Level::error, "bindings_damaged",
                               {{"records", static_cast<std::uint64_t>(bindings.damaged)}});
  graph.switchboard.set_bindings(std::move(bindings.all));
  return {};
}

using Issuers = std::shared_ptr<const std::vector<tenant::Issuer>>;

// None at first may be some after a reload.
Issuers or_none(Issuers issuers) {
  return issuers ? std::move(issuers) : std::make_shared<const std::vector<tenant::Issuer>>();
}

void name_callers(Graph& graph) {
  const Issuers issuers = or_none(graph.options.issuers);
  for (const auto& shard : graph.shards) {
    tenant::Identities& identities = shard->name_callers(issuers);
    if (graph.api && shard == graph.shards.front()) graph.api->name_callers(identities);
  }
}

void show_apps(Graph& graph) {
  api::NodeInfo info{.version = graph.options.version,
                     .started = graph.started,
                     .shards = static_cast<unsigned>(graph.shards.size())};
  for (const LoadedApp& app : graph.apps->apps()) info.apps.push_back(app.info);
  graph.node.set(std::move(info));
}

void say_apps(Graph& graph) {
  for (const LoadedApp& app : graph.apps->apps()) {
    graph.logs->events().write(observe::Level::info, "app_loaded",
                               {{"app", app.info.name},
                                {"routes", static_cast<std::uint64_t>(app.info.routes.size())},
                                {"modules", static_cast<std::uint64_t>(app.info.modules)}});
    for (const std::string& notice : app.notices) {
      graph.logs->events().write(observe::Level::warn, "notice",
                                 {{"app", app.info.name}, {"message", notice}});
    }
  }
}

Result<void> check_hosts(const Graph& graph) {
  for (const auto& [name, host] : graph.options.hosts) {
    const bool known = std::ranges::any_of(
        graph.apps->apps(), [&](const LoadedApp& app) { return app.info.name == name; });
    if (known) continue;
    return fail(Code::invalid_argument,
                fmt::format("--host {}={} names an app that is not served", name, host),
                "an app's name is in [app] of its carrel.toml");
  }
  return {};
}

std::vector<TenantName> tenants_of(const Graph& graph) {
  std::vector<TenantName> tenants;
  for (const LoadedApp& app : graph.apps->apps()) {
    tenants.emplace_back(app.info.tenant);
    const auto more = binding_tenants(*app.hooks);
    tenants.insert(tenants.end(), more.begin(), more.end());
  }
  return tenants;
}

// What is left of a tenant that has been removed for long is not for an app of its name.
async::Task<void> create_into(turn::Services services, delivery::Ring* ring,
                              std::vector<TenantName> names, WallTime now, Result<void>* done) {
  *done = co_await erase_tenants(services, ring, names, now);
  if (*done) *done = co_await create_tenants(services, std::move(names), now);
  if (*done) *done = co_await enforce_quotas(services);
}

// A reload may bring an app of another name.
async::Task<void> create_or_say(turn::Services services, delivery::Ring* ring,
                                std::vector<TenantName> names, WallTime now, observe::Log* events) {
  auto done = co_await erase_tenants(services, ring, names, now);
  if (done) done = co_await create_tenants(services, std::move(names), now);
  if (done) co_return;
  events->write(observe::Level::error, "tenants_not_created",
                {{"code", code_name(done.error().code())}, {"message", done.error().message()}});
}

std::vector<WatchedFolder> source_folders(const ServerOptions& options) {
  std::vector<WatchedFolder> folders;
  for (const AppSource& source : options.apps) {
    std::error_code error;
    const bool folder = std::filesystem::is_directory(source.path, error);
    folders.push_back(
        {folder ? source.path : std::filesystem::absolute(source.path, error).parent_path()});
  }
  return folders;
}

bool watch_folders(Graph& graph) { return graph.watch && graph.watch->add(graph.apps->folders()); }

// Host names of apps in folders are the operator's own.
Result<void> serve_names(Graph& graph, const NodeKey& key) {
  HostDeskOptions how{.reserved = graph.options.reserved_domains, .dns = graph.options.dns};
  for (const auto& [app, host] : graph.options.hosts) how.reserved.push_back(host);
  graph.hosts = std::make_unique<HostDesk>(key, graph.shards.front()->services(),
                                           graph.store->store(), graph.switchboard, std::move(how));
  CARREL_TRY(const std::size_t damaged, graph.hosts->restore());
  if (damaged > 0)
    graph.logs->events().write(observe::Level::error, "host_names_damaged",
                               {{"records", static_cast<std::uint64_t>(damaged)}});
  return {};
}

// What had been promised before this process began.
Result<void> load_deliveries(Graph& graph) {
  graph.delivery_pause =
      std::make_unique<DeliveryPause>(store_folder(graph.options), graph.deliveries);
  for (const auto& shard : graph.shards)
    CARREL_TRY_VOID(shard->load_deliveries(static_cast<unsigned>(graph.shards.size())));
  return {};
}

Result<void> build(Graph& graph) {
  const ServerOptions& options = graph.options;
  CARREL_TRY(const NodeKey key, node_key_from(options.state / "node.key"));  // before any thread
  CARREL_TRY(graph.signals, Signals::take());
  CARREL_TRY(graph.logs, Logs::open(options, graph.clock));
  graph.node.set(&graph.logs->tail());
  graph.node.set(&graph.switchboard);
  CARREL_TRY(graph.loader, make_loader(options, graph.stopping));
  CARREL_TRY(graph.store, NodeStore::open(store_folder(options), key, graph.logs->events()));
  graph.app_loader = std::make_unique<AppLoader>(*graph.loader, graph.logs->guests(), options,
                                                 graph.egress, graph.clock);
  graph.apps = std::make_unique<AppSet>(*graph.app_loader, options.apps);
  if (options.style == Style::development) {
    CARREL_TRY(graph.watch, FolderWatch::make());
    graph.watch->add(
        source_folders(options));  // before they are read, so that no change goes unseen
  }
  make_deployed(graph);
  {
    const Signals::Through through;  // compiling may take long
    CARREL_TRY_VOID(graph.apps->load_all());
    claim_folders(graph);
    CARREL_TRY_VOID(serve_deployed(graph));
  }
  serve_folders(graph);
  CARREL_TRY_VOID(check_hosts(graph));
  watch_folders(graph);
  make_shards(graph);
  graph.removed_tenants = std::make_unique<RemovedTenants>(
      graph.shards.front()->services(), graph.deliveries, graph.clock, graph.logs->events());
  graph.node.set([&graph] { return scrape(graph); });
  Result<void> created;
  ShardUnit& first = *graph.shards.front();
  first.run_first(create_into(first.services(), &graph.deliveries, tenants_of(graph),
                              graph.clock.wall(), &created));
  CARREL_TRY_VOID(created);
  CARREL_TRY_VOID(serve_names(graph, key));
  CARREL_TRY_VOID(load_deliveries(graph));
  // While signals are blocked: none of its threads is to take one. After deliveries are known: what
  // of them goes with removed apps is told to those that have them.
  graph.deployed->start();
  return {};
}

// For the names that tenants have proven, and those of the operator's own.
Result<void> get_certificates(Graph& graph) {
  if (graph.options.acme) {
    const auto wanted = [&graph] {
      auto names = graph.switchboard.names();
      const auto& own = graph.options.acme->names;
      names.insert(names.end(), own.begin(), own.end());
      return names;
    };
    CARREL_TRY(graph.acme, AcmeUnit::open(graph.options, graph.egress, graph.challenges, wanted,
                                          graph.logs->events()));
  }
  if (graph.tls) {
    graph.hosts->know(std::make_unique<HostCertificates>(
        graph.tls, graph.acme.get(), (acme_folder(graph.options) / "certificates").native()));
  }
  return {};
}

Result<void> start(Graph& graph) {
  CARREL_TRY(const std::string apps_url, listen_for_apps(graph));
  CARREL_TRY(const std::string admin_url, listen_for_admin(graph));
  CARREL_TRY(const std::string hooks_url, listen_for_hooks(graph));
  CARREL_TRY(const std::string plain_url, listen_without_tls(graph));
  CARREL_TRY_VOID(allow_calls(graph));
  CARREL_TRY_VOID(get_certificates(graph));
  CARREL_TRY_VOID(trace(graph));
  name_callers(graph);
  show_apps(graph);
  say_apps(graph);
  const auto cores = processors();
  const bool pinned =
      graph.options.style == Style::production && graph.shards.size() <= cores.size();
  for (std::size_t i = 0; i < graph.shards.size(); ++i) {
    graph.shards[i]->start(pinned ? std::optional(cores[i]) : std::nullopt);
  }
  if (graph.acme) graph.acme->start();
  graph.node.set(api::Readiness::ready);
  if (!plain_url.empty()) graph.logs->say(fmt::format("plain listener at {}", plain_url));
  if (!admin_url.empty() && graph.options.style == Style::production) {
    graph.logs->say(fmt::format("admin API at {}/v1, its token is in {}", admin_url,
                                (graph.options.state / "token").string()));
  }
  if (graph.deliveries.paused()) {
    graph.logs->say(
        "deliveries are paused: `carrel hook resume` begins them (this store is a copy, or an "
        "operator paused it)");
  }
  if (!hooks_url.empty()) graph.logs->say(fmt::format("hook points at {}/v1/hooks", hooks_url));
  graph.logs->say(fmt::format("listening on {}", apps_url));
  return {};
}

// What of the configuration may change while it runs. Nothing else of it is touched: other threads
// read the rest.
Result<void> read_again(Graph& graph) {
  if (!graph.options.read_again) return {};
  CARREL_TRY(ServerOptions fresh, graph.options.read_again());
  if (graph.tls && fresh.tls) graph.options.tls = std::move(fresh.tls);
  const Issuers issuers = or_none(fresh.issuers);
  for (const auto& shard : graph.shards) shard->use(issuers);
  graph.options.apps = std::move(fresh.apps);
  graph.options.hosts = std::move(fresh.hosts);
  graph.apps->set_sources(graph.options.apps);
  return {};
}

// One that is broken stays as it was.
void reload_certificates(Graph& graph) {
  if (!graph.tls) return;
  const net::TlsFiles files = tls_files(graph.options);
  graph.tls_look = net::look_of(files);  // before they are read, so that no change goes unseen
  const auto problems = net::reload_tls(*graph.tls, files);
  say_problems(graph, problems);
  graph.logs->events().write(observe::Level::info, "certificates_read",
                             {{"broken", static_cast<std::uint64_t>(problems.size())}});
}

void look_at_certificates(Graph& graph) {
  if (graph.tls && net::look_of(tls_files(graph.options)) != graph.tls_look)
    reload_certificates(graph);
}

Result<void> reload_apps(Graph& graph) {
  CARREL_TRY_VOID(read_again(graph));
  return graph.apps->reload_all();
}

void reload(Graph& graph) {
  const Instant begin = graph.clock.now();
  const auto reloaded = reload_apps(graph);
  reload_certificates(graph);
  ShardUnit& first = *graph.shards.front();
  first.run_soon([services = first.services(), ring = &graph.deliveries, names = tenants_of(graph),
                  now = graph.clock.wall(), events = &graph.logs->events()]() mutable {
    return create_or_say(services, ring, std::move(names), now, events);
  });
  serve_folders(graph);
  show_apps(graph);
  if (!reloaded) {
    const Error& error = reloaded.error();
    graph.logs->events().write(
        observe::Level::error, "reload_failed",
        {{"code", code_name(error.code())}, {"message", error.message()}, {"help", error.help()}});
    return;
  }
  const auto took = std::chrono::duration_cast<milliseconds>(graph.clock.now() - begin).count();
  graph.logs->events().write(observe::Level::info, "reloaded",
                             {{"millis", static_cast<std::uint64_t>(took)}});
}

// Folders made meanwhile are watched before files are read, so that no change goes unseen.
void follow_changes(Graph& graph) {
  if (!graph.watch->take_changes()) return;
  graph.watch->settle(kQuiet, kLongest);
  watch_folders(graph);
  reload(graph);
  // A folder that the manifest has begun to name was not seen while it was read.
  if (watch_folders(graph)) reload(graph);
}

enum class Next : std::uint8_t { wait, reload, stop };

// What reads files and compiles, while this thread goes on taking signals.
Next do_meanwhile(Graph& graph, void (*work)(Graph& graph)) {
  Interrupt done;
  std::thread thread;
  if (done.descriptor() >= 0) {
    try {
      thread = std::thread([&] {
        work(graph);
        done.tell();
      });
    } catch (const std::system_error& cause) {
      graph.logs->events().write(observe::Level::warn, "no_thread", {{"message", cause.what()}});
    }
  }
  if (!thread.joinable()) {
    work(graph);
    return Next::wait;
  }
  auto next = Next::wait;
  for (auto wake = Wake::quiet; wake != Wake::changed;) {
    wake = graph.signals->wait(done.descriptor(), milliseconds(-1));
    if (wake == Wake::stop && next == Next::stop) ::_exit(kExitAtOnce);
    if (wake == Wake::stop) {
      graph.stopping.tell();
      next = Next::stop;
    }
    if (wake == Wake::reload && next != Next::stop) next = Next::reload;
  }
  thread.join();
  return next;
}

void serve(Graph& graph) {
  for (auto next = Next::wait; next != Next::stop;) {
    const Wake wake = next == Next::reload
                          ? Wake::reload
                          : graph.signals->wait(graph.watch ? graph.watch->descriptor() : -1,
                                                graph.tls ? kLookAtCertificates : milliseconds(-1));
    next = Next::wait;
    switch (wake) {
      case Wake::stop:
        return;
      case Wake::reload:
        graph.logs->reopen();
        next = do_meanwhile(graph, reload);
        break;
      case Wake::changed:
        next = do_meanwhile(graph, follow_changes);
        break;
      case Wake::quiet:
        look_at_certificates(graph);
        break;
    }
  }
}

// A second signal, or something that does not stop, ends the process at once.
void wait_while(Graph& graph, Instant end, bool (*busy)(const Graph& graph)) {
  while (busy(graph)) {
    if (graph.signals->stop_within(milliseconds(10)) || graph.clock.now() > end)
      ::_exit(kExitAtOnce);
  }
}

// The API answers until the last app's request is over: whoever probes the node sees it drain.
void stop(Graph& graph) {
  graph.node.set(api::Readiness::draining);
  graph.logs->events().write(observe::Level::info, "stopping", {});
  if (graph.acme) graph.acme->stop();
  const Instant end = graph.clock.now() + graph.options.drain + kStuck;
  graph.hooks_socket.reset();  // who connects from now on is refused at once
  for (const auto& shard : graph.shards) shard->drain(graph.options.drain);
  wait_while(graph, end, [](const Graph& all) {
    return std::ranges::any_of(all.shards, [](const auto& shard) { return !shard->drained(); });
  });
  // What was begun for the API ends, or is refused, before the shard it is on.
  wait_while(graph, end, [](const Graph& all) { return all.api && all.api->busy(); });
  graph.stopping.tell();
  graph.deployed->stop();
  for (const auto& shard : graph.shards) shard->stop();
  wait_while(graph, end, [](const Graph& all) {
    return std::ranges::any_of(all.shards, [](const auto& shard) { return shard->running(); });
  });
  for (const auto& shard : graph.shards) shard->join();
}

}  // namespace

Result<void> run_server(ServerOptions options) {
  Graph graph{.options = options};
  CARREL_TRY_VOID(build(graph));
  CARREL_TRY_VOID(start(graph));
  serve(graph);
  stop(graph);
  return {};
}

}  // namespace carrel::server
