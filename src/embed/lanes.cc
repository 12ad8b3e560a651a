#include "embed/lanes.h"

#include "embed/call.h"

namespace carrel::embed {
namespace {

// One call at a time: it and what others of its tenants do never wait for one another.
runtime::RuntimeLimits limits() {
  runtime::RuntimeLimits limits;
  limits.modules = 256;
  return limits;
}

}  // namespace

Lane::Lane(unsigned index, runtime::Loader& loader)
    : shard_(index),
      runtime_(shard_, loader, limits(), services_),
      invoker_(runtime_, *this, *this) {}

void Lane::line(const turn::ModuleSetup& module, std::uint64_t turn, std::string_view text) {
  if (const CallHere* const here = call_here())
    here->application->tell(module, turn, "guest_log", text);
}

void Lane::failed(const turn::ModuleSetup& module, std::uint64_t id, const Error& error,
                  const wasm::Outcome&) {
  if (const CallHere* const here = call_here())
    here->application->tell(module, id, code_name(error.code()), error.message());
}

net::Client& Lane::client_of(const std::string& socket) {
  const auto found = clients_.find(socket);
  if (found != clients_.end()) return found->second;
  net::ClientOptions options;
  options.socket = socket;
  return clients_.try_emplace(socket, shard_, std::move(options)).first->second;
}

std::unique_ptr<Lane> Lanes::borrow() {
  unsigned index = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      auto lane = std::move(free_.back());
      free_.pop_back();
      return lane;
    }
    if (made_ == kMost) return nullptr;
    index = made_++;
    free_.reserve(made_);  // giving back does not fail
  }
  return std::make_unique<Lane>(index, loader_);
}

void Lanes::give_back(std::unique_ptr<Lane> lane) {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(lane));
}

}  // namespace carrel::embed
