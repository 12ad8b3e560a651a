#include "patterns/hook/callbacks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "patterns/hook/endpoint.h"
#include "turn/state.h"

namespace carrel::hook {
namespace {

class CallbackFunction final : public turn::Function {
 public:
  CallbackFunction(const TenantName& tenant, const AppName& app, const app::Callback& callback)
      : owner_{.tenant = tenant, .app = app, .name = ModuleName(callback.function)},
        name_(callback.function),
        deadline_(callback.deadline),
        endpoint_(
            std::make_shared<Endpoint>(Endpoint{.url = callback.url, .secret = callback.secret})) {
    schema = callback.input;
    rate = callback.rate;
  }

  async::Task<Answer> call(turn::Turn* turn, const std::string* input) const override {
    if (turn->state == nullptr) co_return std::unexpected("this process makes no calls");
    const turn::State& state = *turn->state;
    const turn::ModuleSetup& module = turn->module;
    Endpoints endpoints(state.services, turn->clock);
    auto reply = co_await endpoints.call(
        {.who = {.tenant = module.tenant, .app = module.app, .module = module.name},
         .signer = owner_.tenant,
         .endpoint = endpoint_,
         .id = fmt::format("{}-{}", state.key, state.calls.count()),
         .message = {.headers = {{"content-type", "application/json"},
                                 {"accept", "application/json"},
                                 {"carrel-function", name_},
                                 {"carrel-tenant", module.tenant.str()},
                                 {"carrel-app", module.app.str()},
                                 {"carrel-module", module.name.str()}},
                     .body = *input},
         .longest = std::min<Nanos>(deadline_, turn->deadline - std::chrono::steady_clock::now()),
         .most = turn::kMaxArgument,
         .trace = turn->trace});
    if (!reply) co_return failed(*turn, reply.error());
    if (!is_success(*reply)) co_return std::unexpected(refusal_text(*reply));
    co_return std::move(reply->body);
  }

 private:
  Answer failed(turn::Turn& turn, const Error& error) const {
    if (turn.module.tenant == owner_.tenant) return std::unexpected(error.message());
    turn.log.line(owner_, turn.id,
                  fmt::format("the callback {} for {}: {}", name_, turn.module.tenant.str(),
                              error.message()));
    return std::unexpected(
        fmt::format("the application cannot be asked ({})", code_name(error.code())));
  }

  turn::ModuleSetup owner_;  // for its log
  std::string name_;
  Nanos deadline_;
  std::shared_ptr<const Endpoint> endpoint_;
};

class Callbacks final : public turn::FunctionSource {
 public:
  Callbacks(const TenantName& tenant, const AppName& app, const std::vector<app::Callback>& all) {
    for (const app::Callback& each : all)
      all_.emplace(each.function, std::make_shared<CallbackFunction>(tenant, app, each));
  }

  std::shared_ptr<const turn::Function> find(std::string_view name) const override {
    const auto found = all_.find(name);
    return found == all_.end() ? nullptr : found->second;
  }
  bool outside() const override { return true; }

 private:
  std::map<std::string, std::shared_ptr<const turn::Function>, std::less<>> all_;
};

}  // namespace

std::shared_ptr<const turn::FunctionSource> callbacks_of(const TenantName& tenant,
                                                         const AppName& app,
                                                         const std::vector<app::Callback>& all) {
  return std::make_shared<Callbacks>(tenant, app, all);
}

}  // namespace carrel::hook
