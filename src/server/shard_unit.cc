#include "server/shard_unit.h"

#include <pthread.h>

#include <fmt/format.h>

namespace carrel::server {

ShardUnit::ShardUnit(unsigned index, runtime::Loader& loader, const runtime::RuntimeLimits& limits, Logs& logs)
    : shard_(index),
      runtime_(shard_, loader, limits),
      functions_(runtime_, logs.guests(), logs.failures()) {}

ShardUnit::~ShardUnit() {
  if (thread_.joinable()) {
    shard_.stop();
    thread_.join();
  }
  listeners_.clear();
}

Result<std::uint16_t> ShardUnit::serve_apps(net::Server::Options options) {
  return serve(functions_, std::move(options));
}

Result<std::uint16_t> ShardUnit::serve(net::Handler& handler, net::Server::Options options) {
  CARREL_TRY(auto listener, net::Server::listen(shard_, handler, std::move(options)));
  const std::uint16_t port = listener->port();
  listeners_.push_back(std::move(listener));
  return port;
}

void ShardUnit::start(std::optional<unsigned> pin) {
  shard_.submit([this] {
    for (const auto& listener : listeners_) listener->start();
  });
  running_ = true;
  thread_ = std::thread([this, pin] {
    ::pthread_setname_np(::pthread_self(), fmt::format("shard-{}", shard_.index()).c_str());
    shard_.run(pin);
    running_ = false;
  });
}

void ShardUnit::use(std::shared_ptr<const function::Sites> sites) {
  shard_.submit([this, sites = std::move(sites)]() mutable { functions_.serve(std::move(sites)); });
}

void ShardUnit::stop(std::chrono::milliseconds bound) {
  shard_.submit([this, bound] { work_.spawn(drain(this, bound)); });
}

async::Task<void> ShardUnit::drain(ShardUnit* self, std::chrono::milliseconds bound) {
  const Instant end = system_clock().now() + bound;
  for (const auto& listener : self->listeners_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - system_clock().now());
    co_await listener->drain(std::max(left, std::chrono::milliseconds(0)));
  }
  self->shard_.stop();
}

void ShardUnit::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace carrel::server
