#include "runtime/runtime.h"

#include <algorithm>
#include <vector>

#include "base/prefetch.h"
#include "runtime/kept_instances.h"
#include "runtime/shard_modules.h"
#include "runtime/stateful_turn.h"
#include "tenant/meter.h"
#include "turn/interceptor.h"

namespace carrel::runtime {

RuntimeLimits limits_for(const wasm::EngineSettings& engine, unsigned shards) {
  RuntimeLimits limits;
  constexpr std::size_t kMostGuests = 1000;
  const std::size_t guests = std::min<std::size_t>(engine.slots / kSlotsAPlace, kMostGuests);
  limits.admission.turns = std::max<std::size_t>(guests / std::max(shards, 1U), 4);
  limits.admission.turns_a_tenant = std::max<std::size_t>(limits.admission.turns / 4, 1);
  // A module takes three or four mappings, and the kernel's bound holds for all shards together.
  constexpr std::size_t kModules = 10'000;
  limits.modules = std::clamp<std::size_t>(kModules / std::max(shards, 1U), 16, limits.modules);
  return limits;
}

struct Runtime::Impl {
  Admission admission;
  ShardModules modules;
  KeptInstances kept;
  const turn::Services& services;
  const AdmissionLimits limits;
  TurnFigures figures;

  // `account`: whose use it is; null: nobody counts.
  async::Task<turn::Outcome> run_admitted(async::Shard& shard,
                                          std::shared_ptr<const Program> program, turn::Turn& turn,
                                          TurnMeasure& measure, tenant::Account* account);
};

Runtime::Runtime(async::Shard& shard, Loader& loader, const RuntimeLimits& limits,
                 const turn::Services& services)
    : shard_(shard),
      impl_(new Impl{.admission = Admission(shard, limits.admission),
                     .modules = ShardModules(shard, loader, limits.modules, limits.code_bytes),
                     .kept = KeptInstances(shard, limits.admission.turns),
                     .services = services,
                     .limits = limits.admission}) {}
Runtime::~Runtime() = default;

const TurnFigures& Runtime::figures() const { return impl_->figures; }
const Admission::Figures& Runtime::admitted() const { return impl_->admission.figures(); }
const AdmissionLimits& Runtime::limits() const { return impl_->limits; }

async::Task<turn::Outcome> Runtime::run(std::shared_ptr<const Program> program, turn::Turn& turn) {
  TurnMeasure measure(impl_->figures, impl_->services.tracer, turn);
  if (impl_->services.meter == nullptr) {
    co_return measure.ended(
        co_await impl_->run_admitted(shard_, std::move(program), turn, measure, nullptr));
  }
  const turn::ModuleSetup& module = turn.module;
  tenant::Account account = impl_->services.meter->open(module.tenant, module.app, module.name);
  turn.use = &account.line();
  auto outcome = co_await impl_->run_admitted(shard_, std::move(program), turn, measure, &account);
  turn.use = nullptr;
  if (!turn::is_failure(turn, outcome)) account.ended_well();
  co_return measure.ended(std::move(outcome));
}

async::Task<turn::Outcome> Runtime::Impl::run_admitted(async::Shard& shard,
                                                       std::shared_ptr<const Program> program,
                                                       turn::Turn& turn, TurnMeasure& measure,
                                                       tenant::Account* account) {
  const Demand demand{.allowance = account == nullptr ? nullptr : account->line().allowance(),
                      .memory = turn.module.limits.memory,
                      .places = program->places};
  if (demand.allowance != nullptr) prefetch(*demand.allowance);
  auto ticket = admission.try_enter(turn.module.tenant, demand);
  if (!ticket) {
    auto waited = co_await admission.enter(turn.module.tenant, demand);
    measure.waited();
    if (!waited) {
      if (account != nullptr) account->refused();
      co_return turn::Outcome{.error = std::move(waited).error()};
    }
    ticket.emplace(std::move(*waited));
  }
  if (account != nullptr) account->begun();
  turn::happened(turn, "admitted");
  auto prepared = modules.find(*program);
  if (!prepared) {
    auto loaded = co_await modules.load(program);
    if (!loaded) co_return turn::Outcome{.error = std::move(loaded).error()};
    prepared = std::move(*loaded);
  }
  kept.make_room(admission.taken());
  if (turn::needs_state(turn.module)) {
    co_return co_await run_with_state(shard, services, kept, std::move(*ticket), std::move(program),
                                      std::move(prepared), turn);
  }
  turn::happened(turn, "run");
  turn.instance = kept.take(turn.module, services.gate).instance;
  auto outcome = co_await program->abi->run(shard, ticket->account(), *prepared, turn);
  turn::happened(turn, "ended");
  if (!outcome.error)
    kept.put(turn.module, std::move(outcome.instance),
             {.memory = outcome.guest.memory_peak, .places = program->places});
  outcome.instance.reset();
  ticket.reset();  // the guest is gone: a client that reads slowly takes nobody's place
  if (auto rest = std::exchange(outcome.rest, {})) {
    if (auto sent = co_await std::move(rest); !sent) outcome.error = std::move(sent).error();
  }
  co_return outcome;
}

}  // namespace carrel::runtime
