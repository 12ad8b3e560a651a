#include "runtime/stateful_turn.h"

#include <sys/random.h>

#include <algorithm>
#include <array>

#include "base/hex.h"
#include "turn/interceptor.h"
#include "turn/kept_body.h"

namespace carrel::runtime {
namespace {

constexpr int kMostRuns = 32;        // with tickets, a turn loses once by each name it reads
constexpr int kMostRunsAtFloor = 2;  // the second has seen what the first ran into

// Names the turn to the outside where its event does not.
std::string random_key() {
  std::array<std::byte, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
  return to_hex(bytes);
}

store::TransactionLimits limits_of(const turn::ModuleSetup& module) {
  return {.quota = module.storage, .sync = module.sync};
}

// One turn while it is being run. Lives in the frame of run_with_state.
struct Running {
  async::Shard& shard;
  const Program& program;
  const wasm::Prepared& prepared;
  Admission::Ticket& ticket;
  turn::Turn& turn;
  turn::State& state;
  KeptInstances& kept;
  bool again = false;       // in a fresh instance, whatever the module says
  store::Version before{};  // what its instance knew of the store
};

// The turn is kept, and so may its instance be. `seen`: by the turn.
void keep(Running& running, std::unique_ptr<wasm::KeptInstance> instance, store::Version seen,
          std::uint64_t memory) {
  running.kept.put(running.turn.module, std::move(instance),
                   {.seen = std::max(running.before, seen),
                    .told = std::move(running.state.told_secrets),
                    .memory = memory,
                    .places = running.program.places});
}

async::Task<Result<void>> before_commit(Running& running, const turn::HeldReply& reply) {
  for (auto& step : running.state.before_commit) CARREL_CO_TRY_VOID(co_await step());
  if (running.turn.interceptor != nullptr) {
    CARREL_CO_TRY_VOID(co_await running.turn.interceptor->after(running.state, reply));
  }
  co_return Result<void>();
}

// The guest, from the start to its end.
async::Task<turn::Outcome> run_guest(Running& running) {
  turn::Turn& turn = running.turn;
  if (turn.interceptor != nullptr) {
    auto given = co_await turn.interceptor->before(running.state);
    if (!given) co_return turn::Outcome{.error = std::move(given).error()};
    if (*given) co_return turn::Outcome{.held = std::move(*given)};
  }
  if (!running.again) {
    auto taken = running.kept.take(turn.module, running.state.services.gate);
    turn.instance = std::move(taken.instance);
    running.state.told_secrets = std::move(taken.past.told);
    running.before = taken.past.seen;
  }
  turn::Outcome outcome = co_await running.program.abi->run(running.shard, running.ticket.account(),
                                                            running.prepared, turn);
  // A guest that gave up because the store did not answer is not the one to blame.
  const auto& unread = running.state.transaction.failure();
  if (const auto& cause = unread ? unread : running.state.failure; cause && outcome.error) {
    if (outcome.error->code() == Code::guest_exited ||
        outcome.error->code() == Code::guest_trapped) {
      outcome.error = cause;
    }
  }
  if (!outcome.error && running.state.calls.replaying()) {
    outcome.error.emplace(Code::conflict, "run again, the guest made fewer calls to the outside");
  }
  // Its call failed, so the guest may well have ended with a failure of its own.
  if (running.state.calls.diverged()) {
    outcome.error.emplace(Code::conflict, "run again, the guest made other calls to the outside");
  }
  if (!outcome.error && outcome.held) {
    auto ready = co_await before_commit(running, *outcome.held);
    if (!ready) outcome.error = std::move(ready).error();
  }
  co_return outcome;
}

// Whether the turn may be run once more after `error`, its `run`th.
bool may_run_again(const Error& error, int run, Instant end) {
  if (error.code() != Code::conflict && error.code() != Code::below_floor) return false;
  if (run >= (error.code() == Code::conflict ? kMostRuns : kMostRunsAtFloor)) return false;
  return std::chrono::steady_clock::now() < end;
}

// Runs and commits until the turn is kept or given up. The outcome's error says why; else `needed`
// is the version that must be durable before anything leaves.
async::Task<turn::Outcome> run_to_commit(Running& running, store::Version* needed) {
  const Instant end = std::min(std::chrono::steady_clock::now() + running.turn.module.limits.time,
                               running.turn.deadline);
  Nanos earlier{};
  for (int run = 1;; ++run) {
    turn::happened(running.turn, "run");
    turn::Outcome outcome = co_await run_guest(running);
    turn::happened(running.turn, "ended");
    outcome.earlier_cpu = earlier;
    earlier += outcome.guest.cpu;
    auto instance = std::exchange(outcome.instance, nullptr);
    if (outcome.error) co_return outcome;
    if (!outcome.held) {  // not gated: it has changed nothing
      *needed = running.state.transaction.seen();
      keep(running, std::move(instance), *needed, outcome.guest.memory_peak);
      co_return outcome;
    }
    auto version = co_await running.state.transaction.commit();
    if (version) {
      turn::happened(running.turn, "committed");
      *needed = *version;
      keep(running, std::move(instance), *needed, outcome.guest.memory_peak);
      co_return outcome;
    }
    const Error error = std::move(version).error();
    outcome.held.reset();
    outcome.error = error;
    if (!may_run_again(error, run, end)) co_return outcome;
    turn::KeptBody* const body = running.state.body;
    if ((body != nullptr && !body->rewind()) || !running.state.calls.rewind()) co_return outcome;
    running.state.before_commit.clear();
    running.state.failure.reset();
    running.again = true;
    co_await running.state.transaction.restart();
  }
}

}  // namespace

async::Task<turn::Outcome> run_with_state(async::Shard& shard, const turn::Services& services,
                                          KeptInstances& kept, Admission::Ticket ticket,
                                          std::shared_ptr<const Program> program,
                                          std::shared_ptr<const wasm::Prepared> prepared,
                                          turn::Turn& turn) {
  if (services.store == nullptr || services.gate == nullptr) {
    co_return turn::Outcome{.error = Error(Code::unavailable, "there is no store here")};
  }
  turn::State state(services, turn.module.tenant, limits_of(turn.module));
  state.key = turn.key;
  // Only calls to the outside show it.
  if (state.key.empty() && (!turn.module.grants.http.empty() || turn.module.functions != nullptr))
    state.key = random_key();
  std::optional<turn::KeptBody> body;
  async::ByteSource* const source = turn.event.body;
  if (source != nullptr && turn.module.grants.gated()) {
    state.body = &body.emplace(*source);
    turn.event.body = state.body;
  }
  turn.state = &state;

  std::optional<Admission::Ticket> place(std::move(ticket));
  Running running{.shard = shard,
                  .program = *program,
                  .prepared = *prepared,
                  .ticket = *place,
                  .turn = turn,
                  .state = state,
                  .kept = kept};
  store::Version needed{};
  turn::Outcome outcome = co_await run_to_commit(running, &needed);
  place.reset();  // the guest is gone: who waits for the disk or the client takes nobody's place
  turn.event.body = source;

  // How a turn failed tells something of what it saw, too.
  if (outcome.error) needed = state.transaction.seen();
  if (turn.module.sync == store::Sync::always) {
    auto durable = co_await services.gate->wait(needed);
    if (durable) turn::happened(turn, "durable");
    if (!durable && !outcome.error) outcome.error = std::move(durable).error();
  }
  if (!outcome.error && outcome.held) {
    auto sent = co_await turn::send(std::move(*outcome.held), turn.reply);
    if (!sent) outcome.error = std::move(sent).error();
  }
  if (auto rest = std::exchange(outcome.rest, {}); rest && !outcome.error) {
    if (auto sent = co_await std::move(rest); !sent) outcome.error = std::move(sent).error();
  }
  outcome.held.reset();
  turn.state = nullptr;
  co_return outcome;
}

}  // namespace carrel::runtime
