#include "server/shard_unit.h"

#include <fmt/format.h>
#include <pthread.h>

#include "async/pause.h"
#include "tenant/identities.h"

namespace carrel::server {
namespace {

constexpr std::chrono::milliseconds kLastAnswers{200};  // for who asks how the end goes
constexpr std::chrono::milliseconds kLastSpans{1000};
constexpr std::chrono::milliseconds kLook{5};  // whether the last delivery has ended

bool serves_apps(Listener which) { return which == Listener::apps || which == Listener::data; }

}  // namespace

ShardUnit::ShardUnit(unsigned index, runtime::Loader& loader, const runtime::RuntimeLimits& limits,
                     NodeStore& store, Logs& logs, delivery::Ring& ring,
                     tenant::Allowances& allowances)
    : shard_(index),
      store_(store.store().attach(shard_)),
      gate_(store_),
      meter_(&allowances),
      services_{.store = &store_,
                .gate = &gate_,
                .sealer = &store.sealer(),
                .meter = &meter_,
                .allowances = &allowances},
      usage_(shard_, meter_, services_, system_clock(), logs.events()),
      runtime_(shard_, loader, limits, services_),
      functions_(runtime_, logs.guests(), logs.failures()),
      endpoints_(services_, system_clock()),
      invoker_(runtime_, logs.guests(), logs.hooks()),
      ring_(ring),
      events_(runtime_, logs.guests(), logs.hooks(), services_, endpoints_, system_clock()),
      deliveries_(shard_, services_, system_clock(), events_),
      emitter_(services_, system_clock(), ring, deliveries_, shelter_),
      shadows_(runtime_, logs.guests(), endpoints_, system_clock()) {
  invoker_.reach(endpoints_);
  ring.attach(shard_, deliveries_);
}

ShardUnit::~ShardUnit() {
  if (thread_.joinable()) {
    shard_.stop();
    thread_.join();
  }
}

Result<std::uint16_t> ShardUnit::serve_apps(net::Server::Options options) {
  return listen(Listener::apps, functions_, std::move(options));
}

Result<std::uint16_t> ShardUnit::listen(Listener which, net::Handler& handler,
                                        net::Server::Options options) {
  RequestFigures& figures = requests_[static_cast<std::size_t>(which)];
  figures.pass_on(options.access_log);
  options.access_log = &figures;
  CARREL_TRY(auto server, net::Server::listen(shard_, handler, std::move(options)));
  listening_.push_back({which, std::move(server)});
  return listening_.back().server->port();
}

std::size_t ShardUnit::connections(Listener listener) const {
  std::size_t open = 0;
  for (const auto& [which, server] : listening_) {
    if (which == listener) open += server->connections().value();
  }
  return open;
}

std::uint64_t ShardUnit::strangers(Listener listener) const {
  if (listener == Listener::apps) return functions_.strangers();
  return listener == Listener::data && hooks_ ? hooks_->strangers() : 0;
}

Result<std::uint16_t> ShardUnit::serve_other(Listener which, net::Handler& handler,
                                             net::Server::Options options) {
  return listen(which, handler, std::move(options));
}

Result<void> ShardUnit::load_deliveries(unsigned count) {
  Result<void> done;
  shard_.run_until_done(load_into(count, &done));
  return done;
}

async::Task<void> ShardUnit::load_into(unsigned count, Result<void>* done) {
  co_await async::pause(shard_);  // what it serves has been submitted
  *done = co_await deliveries_.load(shard_.index(), count);
  if (*done) *done = co_await events_.sweep(shard_.index(), count);
}

void ShardUnit::offer_hooks(const api::LocalToken& token, api::DeliverySwitch& pause,
                            const Clock& clock) {
  hooks_.emplace(invoker_, api::EventApi(emitter_, ring_, pause, shelter_, services_, clock),
                 api::ShadowApi(shadows_), token, services_, clock);
  if (hook_apps_) hooks_->serve(hook_apps_);
}

Result<std::uint16_t> ShardUnit::serve_hooks(net::Server::Options options) {
  return listen(Listener::data, *hooks_, std::move(options));
}

void ShardUnit::allow_calls(net::ClientOptions options, const std::optional<net::DnsServer>& dns) {
  if (dns) options.resolver = &resolver_.emplace(shard_, *dns);
  services_.client = &client_.emplace(shard_, std::move(options));
}

void ShardUnit::trace(Collector collector, net::ClientOptions calls, std::string version) {
  traces_ = std::make_unique<TraceSender>(shard_, std::move(collector), std::move(calls),
                                          std::move(version), system_clock());
  services_.tracer = &traces_->tracer();
  functions_.trace(traces_->tracer());
}

tenant::Identities& ShardUnit::name_callers(
    std::shared_ptr<const std::vector<tenant::Issuer>> issuers) {
  identities_ =
      std::make_unique<tenant::Identities>(std::move(issuers), services_.client, system_clock());
  functions_.name_callers(*identities_);
  return *identities_;
}

void ShardUnit::use(std::shared_ptr<const std::vector<tenant::Issuer>> issuers) {
  shard_.submit([this, issuers = std::move(issuers)]() mutable {
    if (identities_) identities_->use(std::move(issuers));
  });
}

void ShardUnit::start(std::optional<unsigned> pin) {
  shard_.submit([this] {
    for (const auto& listening : listening_) listening.server->start();
    if (!ring_.paused()) deliveries_.start();
    work_.spawn(UsageWriter::run(&usage_));
    if (traces_) traces_->start();
  });
  running_ = true;
  thread_ = std::thread([this, pin] {
    ::pthread_setname_np(::pthread_self(), fmt::format("shard-{}", shard_.index()).c_str());
    shard_.run(pin);
    running_ = false;
  });
}

void ShardUnit::use(std::shared_ptr<const function::Sites> sites,
                    std::shared_ptr<const hook::Apps> points, std::function<void()> taken) {
  shard_.submit([this, sites = std::move(sites), points = std::move(points),
                 taken = std::move(taken)]() mutable {
    functions_.serve(std::move(sites));
    hook_apps_ = std::move(points);
    events_.serve(hook_apps_);
    if (hooks_) hooks_->serve(hook_apps_);
    if (taken) taken();
  });
}

void ShardUnit::run_soon(std::move_only_function<async::Task<void>()> make) {
  shard_.submit([this, make = std::move(make)]() mutable { work_.spawn(make()); });
}

void ShardUnit::drain(std::chrono::milliseconds bound) {
  shard_.submit([this, bound] { work_.spawn(drain_apps(this, bound)); });
}

void ShardUnit::stop() {
  shard_.submit([this] { work_.spawn(drain_others(this)); });
}

async::Task<void> ShardUnit::drain_apps(ShardUnit* self, std::chrono::milliseconds bound) {
  self->deliveries_.stop();
  const Instant end = std::chrono::steady_clock::now() + bound;
  for (const auto& [which, server] : self->listening_) {
    if (serves_apps(which)) co_await server->drain(bound);
  }
  while (!self->deliveries_.idle() && std::chrono::steady_clock::now() < end)
    co_await self->shard_.sleep_for(kLook);
  co_await UsageWriter::stop(&self->usage_);
  self->drained_ = true;
}

async::Task<void> ShardUnit::drain_others(ShardUnit* self) {
  for (const auto& [which, server] : self->listening_) {
    if (!serves_apps(which)) co_await server->drain(kLastAnswers);
  }
  if (self->traces_) co_await self->traces_->flush(kLastSpans);
  self->shard_.stop();
}

void ShardUnit::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace carrel::server
