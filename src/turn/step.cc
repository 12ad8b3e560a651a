#include "turn/step.h"

namespace carrel::turn {
namespace {

constexpr int kMostRuns = 50;

}  // namespace

async::Task<Result<void>> commit(Services services, TenantName tenant,
                                 store::TransactionLimits limits, Step* step) {
  store::Transaction transaction(*services.store, std::move(tenant), limits);
  for (int run = 1;; ++run) {
    auto done = co_await step->run(transaction);
    // A refusal tells what was seen as well.
    if (!done) {
      CARREL_CO_TRY_VOID(co_await services.gate->wait(transaction.seen()));
      co_return done;
    }
    auto version = co_await transaction.commit();
    if (version) co_return co_await services.gate->wait(*version);
    if (version.error().code() != Code::conflict || run == kMostRuns)
      co_return std::unexpected(std::move(version).error());
    co_await transaction.restart();
  }
}

}  // namespace carrel::turn
